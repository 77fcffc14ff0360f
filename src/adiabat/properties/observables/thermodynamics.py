"""Averages of temperature, pressure, volume and energy."""

from dataclasses import dataclass, field

import numpy as np

from adiabat.properties.observables.observable import Observable, with_error
from adiabat.properties.observables.trajectory import Trajectory
from adiabat.results import IN_MEMORY, Figure, Line
from adiabat.simulate.statistics import standard_error
from adiabat.typing import FloatArray
from adiabat.units import BOLTZMANN_EV_PER_K, GPA_PER_EV_PER_CUBIC_ANGSTROM

WHOLE = 1e-3
"""Degrees of freedom are a whole number to this; where the structure drifts as a whole they are not."""
G_PER_CM3_PER_AMU_PER_CUBIC_ANGSTROM = 1.66053906660


@dataclass(frozen=True)
class Averages(Observable):
    """Means over the log of a run; each standard error is None where the run is too short to tell.

    Attributes:
        samples: Lines of the log.
        temperature_k: Of the motion that is thermal.
        temperature_k_std: Its standard error.
        pressure_gpa: With the kinetic term: f k_B T / (3 V) - tr σ / 3. What a barostat keeps. None without a volume.
        pressure_gpa_std: Its standard error.
        potential_pressure_gpa: Without it: -tr σ / 3, of the potential energy alone, as a potential's stress is. None also where
            the structure drifts as a whole.
        potential_pressure_gpa_std: Its standard error.
        volume_cubic_angstrom_per_atom: None without a volume.
        volume_cubic_angstrom_per_atom_std: Its standard error; zero where the cell is constant.
        density_g_per_cm3: None without a volume.
        density_g_per_cm3_std: Its standard error.
        potential_energy_ev_per_atom: As the potential counts it.
        potential_energy_ev_per_atom_std: Its standard error.
        series: What they are means of; not in the JSON.
    """

    samples: int
    temperature_k: float
    temperature_k_std: float | None
    pressure_gpa: float | None
    pressure_gpa_std: float | None
    potential_pressure_gpa: float | None
    potential_pressure_gpa_std: float | None
    volume_cubic_angstrom_per_atom: float | None
    volume_cubic_angstrom_per_atom_std: float | None
    density_g_per_cm3: float | None
    density_g_per_cm3_std: float | None
    potential_energy_ev_per_atom: float
    potential_energy_ev_per_atom_std: float | None
    series: "Series" = field(metadata=IN_MEMORY, repr=False)

    def figures(self) -> tuple[Figure, ...]:
        """Temperature and pressure over time."""
        series = self.series
        drawn = [("temperature", "temperature (K)", series.temperatures_k)]
        if series.pressures_gpa is not None:
            drawn.append(("pressure", "pressure (GPa)", series.pressures_gpa))
        return tuple(
            Figure(f"averages-{name}", name.capitalize(), "time (ps)", label, (Line(series.times_ps, values, name),))
            for name, label, values in drawn
        )

    def sentences(self) -> tuple[str, ...]:
        """Each mean with its standard error."""
        said = [f"Temperature: {with_error(self.temperature_k, self.temperature_k_std, 'K')}."]
        if self.pressure_gpa is not None:
            said.append(
                f"Pressure (with the kinetic term): {with_error(self.pressure_gpa, self.pressure_gpa_std, 'GPa')}."
            )
        if self.potential_pressure_gpa is not None:
            number = with_error(self.potential_pressure_gpa, self.potential_pressure_gpa_std, "GPa")
            said.append(f"Pressure of the potential energy alone: {number}.")
        if self.volume_cubic_angstrom_per_atom is not None and self.density_g_per_cm3 is not None:
            volume = with_error(self.volume_cubic_angstrom_per_atom, self.volume_cubic_angstrom_per_atom_std, "Å³/atom")
            density = with_error(self.density_g_per_cm3, self.density_g_per_cm3_std, "g/cm³")
            said.append(f"Volume: {volume}; density: {density}.")
        energy = with_error(self.potential_energy_ev_per_atom, self.potential_energy_ev_per_atom_std, "eV/atom")
        said.append(f"Potential energy: {energy}.")
        return tuple(said)


@dataclass(frozen=True)
class Series:
    """What the means are of, for plots.

    Attributes:
        times_ps: Of the log.
        temperatures_k: At these.
        pressures_gpa: None without a volume.
    """

    times_ps: FloatArray
    temperatures_k: FloatArray
    pressures_gpa: FloatArray | None


def averages(trajectory: Trajectory) -> Averages:
    """Means over the log of a run.

    Args:
        trajectory: Of a run, in any ensemble.

    Raises:
        PropertyUnavailable: There is no log.
    """
    what = "averages"
    temperatures = trajectory.logged("temperature_k", what)
    energies = trajectory.logged("potential_energy_ev", what) / trajectory.n_atoms
    periodic = bool(trajectory.pbc.all()) and float(trajectory.volumes.min()) > 0
    pressures = trajectory.logged("pressure_gpa", what) if periodic else None
    potential = None if pressures is None else _potential_pressures(trajectory, pressures)
    volumes = trajectory.volumes / trajectory.n_atoms if periodic else None
    densities = None
    if volumes is not None:
        densities = G_PER_CM3_PER_AMU_PER_CUBIC_ANGSTROM * float(trajectory.masses.mean()) / volumes
    times_ps = trajectory.logged("time_fs", what) / 1000
    temperature_k, temperature_k_std = _mean(temperatures)
    energy, energy_std = _mean(energies)
    return Averages(
        samples=len(temperatures),
        temperature_k=temperature_k,
        temperature_k_std=temperature_k_std,
        **_named("pressure_gpa", pressures),
        **_named("potential_pressure_gpa", potential),
        **_named("volume_cubic_angstrom_per_atom", volumes),
        **_named("density_g_per_cm3", densities),
        potential_energy_ev_per_atom=energy,
        potential_energy_ev_per_atom_std=energy_std,
        series=Series(times_ps, temperatures, pressures),
    )


def degrees_of_freedom(trajectory: Trajectory, what: str) -> int | None:
    """That share the thermal energy, by the log; None where the structure drifts as a whole, which the log does not tell apart."""
    kinetic, temperature = trajectory.logged("kinetic_energy_ev", what), trajectory.logged("temperature_k", what)
    ratio = float(np.median(2 * kinetic / (BOLTZMANN_EV_PER_K * temperature)))
    return round(ratio) if abs(ratio - round(ratio)) < WHOLE else None


def _potential_pressures(trajectory: Trajectory, pressures: FloatArray) -> FloatArray | None:
    what = "the pressure of the potential energy"
    freedom = degrees_of_freedom(trajectory, what)
    volumes = _volumes_of_log(trajectory, len(pressures))
    if freedom is None or volumes is None:
        return None
    thermal = freedom * BOLTZMANN_EV_PER_K * trajectory.logged("temperature_k", what)
    return pressures - thermal / (3 * volumes) * GPA_PER_EV_PER_CUBIC_ANGSTROM


def _volumes_of_log(trajectory: Trajectory, count: int) -> FloatArray | None:
    """(count,) Å³ at the lines of the log; None where these are not the frames and the cell changes."""
    volumes = trajectory.volumes
    if np.ptp(volumes) <= 1e-9 * volumes[0]:
        return np.full(count, volumes[0])
    return volumes if len(volumes) == count else None


def _named(name: str, series: FloatArray | None) -> dict[str, float | None]:
    """Mean and standard error by the names of their fields; None of what is not there."""
    mean, error = (None, None) if series is None else _mean(series)
    return {name: mean, f"{name}_std": error}


def _mean(series: FloatArray) -> tuple[float, float | None]:
    if np.ptp(series) == 0:
        return float(series[0]), 0.0
    return float(series.mean()), standard_error(series)

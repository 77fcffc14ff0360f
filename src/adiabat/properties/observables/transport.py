"""Transport coefficients by Green and Kubo: shear viscosity, thermal conductivity, ionic conductivity."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from ase.data import chemical_symbols

from adiabat.potential import Potential
from adiabat.properties.observables.fluxes import Motion, charge_current, heat_flux, mass_currents, pressure_tensors
from adiabat.properties.observables.means import blocks_of, over_blocks
from adiabat.properties.observables.observable import Observable, with_error
from adiabat.properties.observables.trajectory import Trajectory
from adiabat.properties.observables.zero_frequency import ZeroFrequency, zero_frequency
from adiabat.results import IN_MEMORY, Figure, Line
from adiabat.typing import FloatArray
from adiabat.units import BOLTZMANN_EV_PER_K

MPA_S_PER_EV_FS_PER_CUBIC_ANGSTROM = 0.1602176634
W_PER_M_K_PER_EV_PER_ANGSTROM_FS_K = 1.602176634e6
S_PER_M_PER_E_PER_V_ANGSTROM_FS = 1.602176634e6
SMALL_CELL = "It is that of this cell; larger ones say how it depends on the size."
TOO_SHORT = "The run is too short for this error bar to be believed: take it as an order of magnitude."


@dataclass(frozen=True)
class Running:
    """The integral of a flux's correlation up to a time, in the units of the coefficient.

    Attributes:
        times_fs: (L,).
        integral: (L,) mean over blocks.
        integral_std: (L,) standard errors.
    """

    times_fs: FloatArray
    integral: FloatArray
    integral_std: FloatArray


@dataclass(frozen=True)
class Viscosity(Observable):
    """Shear viscosity.

    Attributes:
        viscosity_mpa_s: Of the fluid.
        viscosity_mpa_s_std: Its standard error.
        sure: Whether the run is long enough for that.
        temperature_k: Mean.
        running: The Green-Kubo integral, for the eye; not in the JSON.
    """

    viscosity_mpa_s: float
    viscosity_mpa_s_std: float
    sure: bool
    temperature_k: float
    running: Running = field(metadata=IN_MEMORY, repr=False)

    def figures(self) -> tuple[Figure, ...]:
        """The running integral, and what it should come to."""
        return (
            _figure("viscosity", "viscosity (mPa s)", self.running, self.viscosity_mpa_s, self.viscosity_mpa_s_std),
        )

    def sentences(self) -> tuple[str, ...]:
        """The number."""
        number = with_error(self.viscosity_mpa_s, self.viscosity_mpa_s_std, "mPa s")
        return _said(f"Shear viscosity at {self.temperature_k:.4g} K: {number}.", self.sure)


@dataclass(frozen=True)
class ThermalConductivity(Observable):
    """Lattice and fluid; that of electrons is not in a potential.

    Attributes:
        thermal_conductivity_w_per_m_k: Mean over the directions.
        thermal_conductivity_w_per_m_k_std: Its standard error.
        sure: Whether the run is long enough for that.
        temperature_k: Mean.
        running: The Green-Kubo integral, for the eye; not in the JSON.
    """

    thermal_conductivity_w_per_m_k: float
    thermal_conductivity_w_per_m_k_std: float
    sure: bool
    temperature_k: float
    running: Running = field(metadata=IN_MEMORY, repr=False)

    def figures(self) -> tuple[Figure, ...]:
        """The running integral, and what it should come to."""
        value, error = self.thermal_conductivity_w_per_m_k, self.thermal_conductivity_w_per_m_k_std
        return (_figure("thermal conductivity", "thermal conductivity (W/(m K))", self.running, value, error),)

    def sentences(self) -> tuple[str, ...]:
        """The number."""
        number = with_error(self.thermal_conductivity_w_per_m_k, self.thermal_conductivity_w_per_m_k_std, "W/(m K)")
        return _said(f"Thermal conductivity at {self.temperature_k:.4g} K: {number}. {SMALL_CELL}", self.sure)


@dataclass(frozen=True)
class IonicConductivity(Observable):
    """Of ions that carry the charges given, in the frame of the centre of mass.

    Attributes:
        conductivity_s_per_m: By Green and Kubo: of the current of all ions together.
        conductivity_s_per_m_std: Its standard error.
        nernst_einstein_s_per_m: Of ions that know nothing of each other: Σ N q² D / (V k_B T).
        nernst_einstein_s_per_m_std: Its standard error.
        haven_ratio: The second over the first.
        haven_ratio_std: Its standard error.
        sure: Whether the run is long enough for that.
        temperature_k: Mean.
        running: The Green-Kubo integral, for the eye; not in the JSON.
    """

    conductivity_s_per_m: float
    conductivity_s_per_m_std: float
    nernst_einstein_s_per_m: float
    nernst_einstein_s_per_m_std: float
    haven_ratio: float
    haven_ratio_std: float
    sure: bool
    temperature_k: float
    running: Running = field(metadata=IN_MEMORY, repr=False)

    def figures(self) -> tuple[Figure, ...]:
        """The running integral, and what it should come to."""
        value, error = self.conductivity_s_per_m, self.conductivity_s_per_m_std
        return (_figure("ionic conductivity", "conductivity (S/m)", self.running, value, error),)

    def sentences(self) -> tuple[str, ...]:
        """The numbers."""
        number = with_error(self.conductivity_s_per_m, self.conductivity_s_per_m_std, "S/m")
        alone = with_error(self.nernst_einstein_s_per_m, self.nernst_einstein_s_per_m_std, "S/m")
        ratio = with_error(self.haven_ratio, self.haven_ratio_std)
        said = f"Ionic conductivity at {self.temperature_k:.4g} K: {number}; by Nernst and Einstein {alone}: Haven ratio {ratio}."
        return _said(said, self.sure)


def viscosity(trajectory: Trajectory, potential: Potential, *, quiet: bool = False) -> Viscosity:
    """η = V / (k_B T) ∫₀^∞ ⟨P_xy(0) P_xy(t)⟩ dt, of five independent components of the traceless pressure tensor.

    Args:
        trajectory: Of an isotropic fluid, in nve or under a weakly coupled thermostat that scales all velocities alike; frames a
            few femtoseconds apart.
        potential: That it was made with: stresses are evaluated anew.
        quiet: Show no progress.

    Raises:
        PropertyUnavailable: Motion that is not its own, or frames too far apart.
        DataError: Too few frames.
    """
    motion = Motion.of(trajectory, "the viscosity")
    pressure = pressure_tensors(trajectory, motion, potential, quiet=quiet)
    flux = traceless(pressure)
    unit = motion.volume / (BOLTZMANN_EV_PER_K * motion.temperature_k) * MPA_S_PER_EV_FS_PER_CUBIC_ANGSTROM
    found = _green_kubo(flux, trajectory, unit)
    return Viscosity(found.value, found.value_std, found.sure, motion.temperature_k, found.running)


def thermal_conductivity(trajectory: Trajectory, potential: Potential, *, quiet: bool = False) -> ThermalConductivity:
    """κ = 1 / (V k_B T²) ∫₀^∞ ⟨J_x(0) J_x(t)⟩ dt, where no species flows against another.

    Args:
        trajectory: In nve or under a weakly coupled thermostat that scales all velocities alike; frames a few femtoseconds apart.
        potential: That it was made with: atomic energies and virials are evaluated anew.
        quiet: Show no progress.

    Raises:
        PropertyUnavailable: Motion that is not its own, frames too far apart, or more than three species.
        DataError: Too few frames.
    """
    motion = Motion.of(trajectory, "the thermal conductivity")
    flux = heat_flux(trajectory, motion, potential, quiet=quiet)
    unit = 1 / (motion.volume * BOLTZMANN_EV_PER_K * motion.temperature_k**2) * W_PER_M_K_PER_EV_PER_ANGSTROM_FS_K
    currents = mass_currents(trajectory, motion)
    found = _green_kubo(flux, trajectory, unit, others=currents)
    return ThermalConductivity(found.value, found.value_std, found.sure, motion.temperature_k, found.running)


def ionic_conductivity(trajectory: Trajectory, charges: Mapping[str, float]) -> IonicConductivity:
    """σ = 1 / (V k_B T) ∫₀^∞ ⟨J_x(0) J_x(t)⟩ dt with J = Σ q v, beside that of each ion alone.

    Args:
        trajectory: In nve or under a weakly coupled thermostat that scales all velocities alike; frames a few femtoseconds apart.
        charges: By chemical symbol, in e.

    Raises:
        PropertyUnavailable: Motion that is not its own, or frames too far apart.
        UnknownSpecies: A species without a charge.
        ConfigurationError: Charges that do not add up to zero.
        DataError: Too few frames.
    """
    motion = Motion.of(trajectory, "the ionic conductivity")
    flux = charge_current(trajectory, motion, charges)
    unit = 1 / (motion.volume * BOLTZMANN_EV_PER_K * motion.temperature_k) * S_PER_M_PER_E_PER_V_ANGSTROM_FS
    found = _green_kubo(flux, trajectory, unit)
    alone, relative = _of_each_alone(trajectory, motion, charges)
    single = 0.5 * unit * alone
    ratio = single / found.value
    return IonicConductivity(
        conductivity_s_per_m=found.value,
        conductivity_s_per_m_std=found.value_std,
        nernst_einstein_s_per_m=single,
        nernst_einstein_s_per_m_std=single * relative,
        haven_ratio=ratio,
        haven_ratio_std=ratio * float(np.hypot(found.value_std / found.value, relative)),
        sure=found.sure,
        temperature_k=motion.temperature_k,
        running=found.running,
    )


@dataclass(frozen=True)
class _Coefficient:
    """Of one flux, in the unit of the coefficient."""

    value: float
    value_std: float
    sure: bool
    running: Running


def _green_kubo(
    flux: FloatArray, trajectory: Trajectory, unit: float, *, others: FloatArray | None = None
) -> _Coefficient:
    """Unit · ∫₀^∞ ⟨J(0) J(t)⟩ dt of the components of (T, C), what they have in common with the others taken off."""
    found = zero_frequency(flux, trajectory.interval_fs, others=others, place=trajectory.place)
    value = 0.5 * unit * found.density
    running = _running(flux, trajectory.interval_fs, unit)
    return _Coefficient(value, value * found.relative_std, found.sure, running)


def traceless(pressure: FloatArray) -> FloatArray:
    """(T, 5) independent components of (T, 3, 3), each with the variance of an off-diagonal one in an isotropic fluid."""
    xx, yy, zz = (pressure[:, axis, axis] for axis in range(3))
    shear = [0.5 * (pressure[:, a, b] + pressure[:, b, a]) for a, b in ((0, 1), (0, 2), (1, 2))]
    return np.stack([*shear, (xx - yy) / 2, (2 * zz - xx - yy) / (2 * np.sqrt(3))], axis=1)


def _of_each_alone(trajectory: Trajectory, motion: Motion, charges: Mapping[str, float]) -> tuple[float, float]:
    """Σ q² times the spectral density at zero of each ion's own velocity, and its relative error."""
    total, variance = 0.0, 0.0
    for number in trajectory.species:
        charge, own = charges[chemical_symbols[number]], trajectory.numbers == number
        if charge:
            one: ZeroFrequency = zero_frequency(
                motion.velocities[:, own].reshape(trajectory.n_frames, -1),
                trajectory.interval_fs,
                place=trajectory.place,
            )
            share = int(own.sum()) * charge**2 * one.density
            total, variance = total + share, variance + (share * one.relative_std) ** 2
    return total, float(np.sqrt(variance)) / total


def _running(flux: FloatArray, interval_fs: float, unit: float) -> Running:
    """Over the first half of the lags of each block, by the trapezoidal rule."""
    blocks = blocks_of(len(flux))
    lags = max(2, (blocks[0].stop - blocks[0].start) // 2)
    integrals = np.array([_integral(flux[block], lags) for block in blocks])
    mean, error = over_blocks(unit * interval_fs * integrals)
    return Running(np.linspace(0.0, (lags - 1) * interval_fs, lags), mean, error)


def _integral(flux: FloatArray, lags: int) -> FloatArray:
    count = len(flux)
    spectrum = np.abs(np.fft.rfft(flux, n=2 * count, axis=0)) ** 2
    correlation = np.fft.irfft(spectrum.mean(axis=1), n=2 * count)[:lags] / (count - np.arange(lags))
    return np.concatenate([[0.0], np.cumsum(0.5 * (correlation[1:] + correlation[:-1]))])


def _figure(name: str, label: str, running: Running, value: float, error: float) -> Figure:
    ends = running.times_fs[[0, -1]] / 1000
    return Figure(
        name=name.replace(" ", "-"),
        title=f"Green-Kubo integral: {name}",
        x_label="time (ps)",
        y_label=label,
        marks=(
            Line(running.times_fs / 1000, running.integral, "running integral", band=running.integral_std),
            Line(ends, np.full(2, value), "at frequency zero", band=np.full(2, error), dashed=True),
        ),
        note="The number is taken from the spectrum at frequency zero; the integral, whose noise grows with time, is for the eye.",
    )


def _said(sentence: str, sure: bool) -> tuple[str, ...]:
    return (sentence,) if sure else (sentence, f"warning: {TOO_SHORT}")

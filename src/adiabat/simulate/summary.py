"""What a finished run says of itself."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from adiabat.results import Result
from adiabat.simulate.drift import slope
from adiabat.simulate.integrator import Integrator
from adiabat.simulate.live import Speed
from adiabat.simulate.statistics import standard_error
from adiabat.simulate.thermolog import read_log
from adiabat.typing import FloatArray

MEV_PER_EV = 1e3
FS_PER_PS = 1e3


@dataclass(frozen=True)
class SimulationSummary(Result):
    """A run in a few numbers; None where there is too little to tell.

    Attributes:
        atoms: In the structure.
        steps: Done in all.
        finished: Whether they are all that were asked for.
        time_ps: Simulated.
        mean_temperature_k: Over the second half of the log.
        mean_temperature_k_std: Its standard error, from the thermostat in nvt, from the log itself in nve.
        drift_mev_per_atom_per_ps: Of the conserved energy, over the whole log.
        drift_mev_per_atom_per_ps_std: Its standard error.
        ns_per_day: Speed since the start or the resume.
        us_per_atom_per_step: The same.
        degrees_of_freedom: Those that are thermal.
        mean_pressure_gpa: Over the second half of the log; the kinetic part is in it.
        mean_pressure_gpa_std: Its standard error, from the log itself.
        mean_volume_cubic_angstrom: Over the second half of the log.
        mean_volume_cubic_angstrom_std: Its standard error, from the log itself; None where the volume does not change.
    """

    atoms: int
    steps: int
    finished: bool
    time_ps: float
    mean_temperature_k: float
    mean_temperature_k_std: float | None
    drift_mev_per_atom_per_ps: float | None
    drift_mev_per_atom_per_ps_std: float | None
    ns_per_day: float | None
    us_per_atom_per_step: float | None
    degrees_of_freedom: int | None = None
    mean_pressure_gpa: float | None = None
    mean_pressure_gpa_std: float | None = None
    mean_volume_cubic_angstrom: float | None = None
    mean_volume_cubic_angstrom_std: float | None = None

    def lines(self) -> list[str]:
        """For a person."""
        done = f"{self.steps} steps, {self.time_ps:g} ps of {self.atoms} atoms"
        if self.ns_per_day is not None and self.us_per_atom_per_step is not None:
            done += f", at {self.ns_per_day:.3g} ns/day, {self.us_per_atom_per_step:.3g} µs/atom/step"
        temperature = _with_error(self.mean_temperature_k, self.mean_temperature_k_std)
        drift = _with_error(self.drift_mev_per_atom_per_ps, self.drift_mev_per_atom_per_ps_std)
        lines = [
            done,
            f"temperature, mean of the second half: {temperature} K",
            f"drift of the conserved energy: {drift} meV/atom/ps",
        ]
        if self.mean_pressure_gpa is not None:
            pressure = _with_error(self.mean_pressure_gpa, self.mean_pressure_gpa_std)
            lines.insert(2, f"pressure, mean of the second half: {pressure} GPa")
        if self.mean_volume_cubic_angstrom_std is not None:
            volume = _with_error(self.mean_volume_cubic_angstrom, self.mean_volume_cubic_angstrom_std)
            lines.insert(3, f"volume, mean of the second half: {volume} Å³")
        return lines


def summarise(
    log: Path,
    integrator: Integrator,
    *,
    atoms: int,
    degrees_of_freedom: int,
    steps: int,
    time_fs: float,
    finished: bool,
    speed: Speed | None,
    system: int = 0,
) -> SimulationSummary:
    """Read a log and say what there is to say."""
    table = read_log(log)
    temperature_k, std_k = _mean_temperature(table, integrator, degrees_of_freedom, system)
    drift = _drift(table, atoms)
    pressure, volume = (_mean(table[name]) for name in ("pressure_gpa", "volume_cubic_angstrom"))
    return SimulationSummary(
        atoms=atoms,
        steps=steps,
        finished=finished,
        time_ps=time_fs / FS_PER_PS,
        mean_temperature_k=temperature_k,
        mean_temperature_k_std=std_k,
        drift_mev_per_atom_per_ps=drift and drift[0],
        drift_mev_per_atom_per_ps_std=drift and drift[1],
        ns_per_day=speed and speed.ns_per_day,
        us_per_atom_per_step=speed and speed.us_per_atom_per_step,
        degrees_of_freedom=degrees_of_freedom,
        mean_pressure_gpa=pressure[0],
        mean_pressure_gpa_std=pressure[1],
        mean_volume_cubic_angstrom=volume[0],
        mean_volume_cubic_angstrom_std=volume[1],
    )


def _drift(table: dict[str, FloatArray], atoms: int) -> tuple[float, float | None] | None:
    """Of the conserved energy; None with too few values, or where they are not equally far apart."""
    times_fs = table["time_fs"]
    intervals = np.diff(times_fs)
    if len(intervals) and not np.allclose(intervals, intervals[0], rtol=1e-6):
        return None
    return slope(times_fs / FS_PER_PS, table["conserved_energy_ev"] * MEV_PER_EV / atoms)


def _mean(series: FloatArray) -> tuple[float | None, float | None]:
    """Of the second half, and its standard error; None where there are no values, None for the error where they do not change."""
    late = series[len(series) // 2 :]
    if np.isnan(late).any():
        return None, None
    return float(late.mean()), None if np.ptp(late) == 0 else standard_error(late)


def _mean_temperature(
    table: dict[str, FloatArray], integrator: Integrator, degrees_of_freedom: int, system: int
) -> tuple[float, float | None]:
    """Of the second half, and its standard error."""
    middle = len(table["step"]) // 2
    late, times_fs = table["temperature_k"][middle:], table["time_fs"][middle:]
    if len(late) < 2:
        return float(late.mean()), None
    error = integrator.mean_temperature_std_k(
        late,
        interval_fs=float(times_fs[1] - times_fs[0]),
        settled_fs=float(times_fs[0]),
        degrees_of_freedom=degrees_of_freedom,
        system=system,
    )
    return float(late.mean()), error


def _with_error(value: float | None, error: float | None) -> str:
    """With two digits of the error, and the value to the same decimal."""
    if value is None:
        return "not known (too short)"
    if error is None:
        return f"{value:.4g} (error not known: too short)"
    decimals = max(0, 1 - math.floor(math.log10(error))) if error > 0 else 6
    return f"{value:.{decimals}f} ± {error:.{decimals}f}"

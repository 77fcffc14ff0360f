"""What a finished run says of itself."""

import math
from dataclasses import dataclass
from pathlib import Path

from adiabat.results import Result
from adiabat.simulate.drift import slope
from adiabat.simulate.integrator import Integrator
from adiabat.simulate.live import Speed
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

    def lines(self) -> list[str]:
        """For a person."""
        done = f"{self.steps} steps, {self.time_ps:g} ps of {self.atoms} atoms"
        if self.ns_per_day is not None and self.us_per_atom_per_step is not None:
            done += f", at {self.ns_per_day:.3g} ns/day, {self.us_per_atom_per_step:.3g} µs/atom/step"
        temperature = _with_error(self.mean_temperature_k, self.mean_temperature_k_std)
        drift = _with_error(self.drift_mev_per_atom_per_ps, self.drift_mev_per_atom_per_ps_std)
        return [
            done,
            f"temperature, mean of the second half: {temperature} K",
            f"drift of the conserved energy: {drift} meV/atom/ps",
        ]


def summarise(
    log: Path,
    integrator: Integrator,
    *,
    atoms: int,
    degrees_of_freedom: int,
    steps: int,
    finished: bool,
    speed: Speed | None,
) -> SimulationSummary:
    """Read a log and say what there is to say."""
    table = read_log(log)
    temperature_k, std_k = _mean_temperature(table, integrator, degrees_of_freedom)
    drift = slope(table["time_fs"] / FS_PER_PS, table["conserved_energy_ev"] * MEV_PER_EV / atoms)
    return SimulationSummary(
        atoms=atoms,
        steps=steps,
        finished=finished,
        time_ps=steps * integrator.timestep_fs / FS_PER_PS,
        mean_temperature_k=temperature_k,
        mean_temperature_k_std=std_k,
        drift_mev_per_atom_per_ps=drift and drift[0],
        drift_mev_per_atom_per_ps_std=drift and drift[1],
        ns_per_day=speed and speed.ns_per_day,
        us_per_atom_per_step=speed and speed.us_per_atom_per_step,
    )


def _mean_temperature(
    table: dict[str, FloatArray], integrator: Integrator, degrees_of_freedom: int
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

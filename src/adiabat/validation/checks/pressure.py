"""Constant pressure: the volume fluctuates as the compressibility has it, and the pressure is the barostat's.

The compressibility is measured apart, from the pressures of three volumes at constant temperature. Of both numbers the
error bars are known: replicas are independent.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from adiabat.results import Figure, Line
from adiabat.simulate import State, Streams, maxwell_boltzmann
from adiabat.simulate.cell_rescaling import CellRescaling
from adiabat.simulate.integrator import Integrator
from adiabat.system import Batch
from adiabat.typing import FloatArray
from adiabat.units import BOLTZMANN_EV_PER_K, GPA_PER_EV_PER_CUBIC_ANGSTROM
from adiabat.validation.check import Case, CheckResult
from adiabat.validation.dynamics import Motion, langevin, steps_of, timestep_fs
from adiabat.validation.levels import critical
from adiabat.validation.thinning import effective_count

STRETCHES = (0.97, 1.0, 1.03)
"""Of the volume."""
BAROSTAT_FS = 200.0
SAMPLE_FS = 20.0
FEWEST = 20
"""Volumes, independent ones of all replicas together, from which their spread is taken."""
BENT = 0.1
"""Relative, what the curvature of the pressure may make of the fluctuations."""


@dataclass(frozen=True)
class _Stiffness:
    """Of the start at the temperature.

    Attributes:
        pressure_gpa: At its volume.
        pressure_gpa_std: Its standard error.
        modulus_gpa: -V ∂P/∂V.
        modulus_gpa_std: Its standard error.
    """

    pressure_gpa: float
    pressure_gpa_std: float
    modulus_gpa: float
    modulus_gpa_std: float


class PressureCheck:
    """NPT by stochastic cell rescaling, several replicas side by side."""

    name: ClassVar[str] = "constant pressure"

    def evaluations(self, case: Case) -> int:
        """Of the three volumes, and of all replicas."""
        if not case.start.pbc.all():
            return 0
        steps = steps_of(case.config.settle_ps, case) + _every(case) * _samples(case)
        return steps * (len(STRETCHES) * _copies(case) + case.config.replicas)

    def run(self, case: Case) -> Sequence[CheckResult]:
        """The mean pressure, then the fluctuations of the volume."""
        names = ("npt: pressure", "npt: volume fluctuations")
        if not case.start.pbc.all():
            why = f"not made: the start is periodic along {case.start.pbc.tolist()}"
            return [CheckResult(name, None, None, None, "", why) for name in names]
        stiffness = _stiffness(case)
        if not stiffness.modulus_gpa > 3 * stiffness.modulus_gpa_std:
            found = f"the bulk modulus by the pressures of three volumes is {stiffness.modulus_gpa:.3g} ± {stiffness.modulus_gpa_std:.2g} GPa"
            if stiffness.modulus_gpa < -3 * stiffness.modulus_gpa_std:
                return [CheckResult(names[1], False, None, None, "", f"{found}: squeezed, the pressure falls.")]
            return [CheckResult(name, None, None, None, "", f"not made: {found}") for name in names]
        pressures, volumes = _at_constant_pressure(case, stiffness)
        if independent_squares(case, volumes) < FEWEST:
            why = f"not made: fewer than {FEWEST} independent volumes; ask for a longer nvt_ps or more replicas"
            return [CheckResult(name, None, None, None, "", why) for name in names]
        return [_mean_pressure(case, names[0], pressures, stiffness), _spread(case, names[1], volumes, stiffness)]


def _copies(case: Case) -> int:
    """Of each volume: their pressures are known better than the fluctuations anyway."""
    return max(1, case.config.replicas // 2)


def _inefficiency(case: Case, correlation_fs: float) -> float:
    """Of samples that forget as exp(-t / τ)."""
    kept = math.exp(-_every(case) * timestep_fs(case) / correlation_fs)
    return (1 + kept) / (1 - kept)


def independent_squares(case: Case, volumes: FloatArray) -> float:
    """How many independent squares of what volumes are away from their mean these are worth: twice as many as volumes."""
    return effective_count((volumes - volumes.mean()) ** 2, inefficiency=_inefficiency(case, BAROSTAT_FS / 2))


def _every(case: Case) -> int:
    return max(1, round(SAMPLE_FS / timestep_fs(case)))


def _samples(case: Case) -> int:
    return max(2, steps_of(case.config.nvt_ps, case) // _every(case))


def _stiffness(case: Case) -> _Stiffness:
    volumes = [fraction for fraction in STRETCHES for _ in range(_copies(case))]
    seen = _run(case, langevin(case, case.temperature_k), volumes, seed=6)
    pressures = seen[0].reshape(len(STRETCHES), _copies(case), -1)
    means = pressures.mean(axis=(1, 2))
    errors = np.array([math.sqrt(one.var() / effective_count(one)) for one in pressures])
    apart = math.log(STRETCHES[2] / STRETCHES[0])
    return _Stiffness(
        pressure_gpa=float(means[1]),
        pressure_gpa_std=float(errors[1]),
        modulus_gpa=float(means[0] - means[2]) / apart,
        modulus_gpa_std=math.hypot(float(errors[0]), float(errors[2])) / apart,
    )


def _at_constant_pressure(case: Case, stiffness: _Stiffness) -> tuple[FloatArray, FloatArray]:
    """(R, T) GPa and Å³ at the start's own pressure, so that the volume stays where it is."""
    barostat = CellRescaling(
        langevin(case, case.temperature_k),
        pressure_gpa=stiffness.pressure_gpa,
        time_constant_fs=BAROSTAT_FS,
        compressibility_per_gpa=1 / stiffness.modulus_gpa,
    )
    return _run(case, barostat, [1.0] * case.config.replicas, seed=7)


def _run(case: Case, integrator: Integrator, fractions: list[float], *, seed: int) -> tuple[FloatArray, FloatArray]:
    """(S, T) pressures in GPa and volumes in Å³ of copies of the start, their volumes scaled."""
    copies = []
    for fraction in fractions:
        scaled = case.start.copy()
        scaled.set_cell(case.start.cell.array * fraction ** (1 / 3), scale_atoms=True)
        copies.append(scaled)
    batch = Batch.from_atoms(copies)
    masses = torch.from_numpy(case.start.get_masses()).repeat(len(copies))
    streams, kelvin = Streams.of(batch, case.config.seed + seed), 2 * case.temperature_k
    velocities = maxwell_boltzmann(batch, masses, streams, temperature_k=kelvin, at_rest=False)
    evaluator = case.subject.follow()
    state = integrator.init(batch, evaluator, velocities=velocities, masses=masses, streams=streams)
    motion = Motion(case, integrator, evaluator, state)
    motion.advance(steps_of(case.config.settle_ps, case))
    seen = [_seen(state, integrator) for state in motion.every(_every(case), _samples(case))]
    return np.array([pressure for pressure, _ in seen]).T, np.array([volume for _, volume in seen]).T


def _seen(state: State, integrator: Integrator) -> tuple[FloatArray, FloatArray]:
    if state.stress is None:
        raise TypeError("a stress was asked for, and did not come")
    volume = state.batch.volume
    kinetic = 2 * integrator.kinetic_energy_ev(state) / (3 * volume)
    pressure = kinetic - state.stress.diagonal(dim1=1, dim2=2).mean(1)
    return pressure.numpy() * GPA_PER_EV_PER_CUBIC_ANGSTROM, volume.numpy()


def _mean_pressure(case: Case, name: str, pressures: FloatArray, stiffness: _Stiffness) -> CheckResult:
    found = float(pressures.mean()) - stiffness.pressure_gpa
    limit = critical(case) * math.sqrt(float(pressures.var()) / effective_count(pressures))
    reason = (
        f"{pressures.mean():.3g} GPa instead of the barostat's {stiffness.pressure_gpa:.3g} GPa; {limit:.2g} GPa more or less can be "
        f"chance, {2 * limit:.2g} would be seen."
    )
    return CheckResult(name, abs(found) <= limit, abs(found), limit, "GPa", reason)


def _spread(case: Case, name: str, volumes: FloatArray, stiffness: _Stiffness) -> CheckResult:
    """k_B T ⟨V⟩ / ⟨δV²⟩ against the modulus, as a logarithm."""
    away = volumes - volumes.mean()
    count = independent_squares(case, volumes)
    thermal = BOLTZMANN_EV_PER_K * case.temperature_k * GPA_PER_EV_PER_CUBIC_ANGSTROM
    correction = 1 - 1 / max(2.0, effective_count(volumes, inefficiency=_inefficiency(case, BAROSTAT_FS)))
    modulus = thermal * float(volumes.mean()) / (float((away**2).mean()) / correction)
    error = math.hypot(math.sqrt(2 / count), stiffness.modulus_gpa_std / stiffness.modulus_gpa)
    found = abs(math.log(modulus / stiffness.modulus_gpa))
    limit = critical(case) * error + BENT
    times = np.linspace(0.0, SAMPLE_FS / 1000 * (volumes.shape[1] - 1), volumes.shape[1])
    figure = Figure(
        name="validate-npt",
        title="Volume at constant pressure",
        x_label="time (ps)",
        y_label="volume (Å³/atom)",
        marks=tuple(Line(times, one / len(case.start), f"replica {index}") for index, one in enumerate(volumes)),
    )
    reason = (
        f"bulk modulus {modulus:.3g} GPa by the fluctuations, {stiffness.modulus_gpa:.3g} ± {stiffness.modulus_gpa_std:.2g} GPa by the "
        f"pressures of three volumes; a factor of {math.exp(limit):.2g} can be chance, {math.exp(2 * limit):.2g} would be seen."
    )
    return CheckResult(name, found <= limit, found, limit, "", reason, (figure,))

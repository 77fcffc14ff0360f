"""Vibrations against those of a reference trajectory."""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np

from adiabat.errors import DataError, PropertyUnavailable
from adiabat.properties.observables import Ensemble, Trajectory, Vibrations, vibrations
from adiabat.simulate import VelocityVerlet
from adiabat.typing import FloatArray
from adiabat.validation.check import Case, CheckResult
from adiabat.validation.checks.structure import NO_REFERENCE
from adiabat.validation.curves import Curves
from adiabat.validation.dynamics import Motion, langevin, steps_of, timestep_fs

BINS = 40
"""Over the frequencies of the reference: finer than any verdict needs."""


class SpectrumCheck:
    """NVE from a state of equilibrium."""

    name: ClassVar[str] = "vibrations against the reference"

    def evaluations(self, case: Case) -> int:
        """The way to equilibrium, and the run."""
        steps = steps_of(case.config.settle_ps, case) + steps_of(case.config.nve_ps, case)
        return steps if case.reference is not None and case.reference.velocities is not None else 0

    def run(self, case: Case) -> Sequence[CheckResult]:
        """All species together."""
        name = self.name
        if case.reference is None:
            return [CheckResult(name, None, None, None, "", NO_REFERENCE)]
        try:
            other = vibrations(case.reference)
            own = vibrations(moving(case))
        except (PropertyUnavailable, DataError) as error:
            return [CheckResult(name, None, None, None, "", f"not made: {error.what}")]
        return [_curves(own, other).compared(case, name, "frequency (THz)", "share of the modes")]


def moving(case: Case) -> Trajectory:
    """Every step of a run at constant energy."""
    kelvin = case.temperature_k
    settling = Motion.begun(case, langevin(case, kelvin), replicas=1, temperature_k=2 * kelvin, seed=5)
    settling.advance(steps_of(case.config.settle_ps, case))
    motion = Motion.from_atoms(case, VelocityVerlet(timestep_fs(case)), settling.structures())
    velocities = np.array([state.velocities.numpy() for state in motion.every(1, steps_of(case.config.nve_ps, case))])
    count = len(velocities)
    first = Trajectory.from_atoms([case.start] * 2, interval_fs=1.0, place="validation")
    return replace(
        first,
        times_fs=np.linspace(0.0, timestep_fs(case) * (count - 1), count),
        positions=np.tile(case.start.positions, (count, 1, 1)),
        cells=np.tile(case.start.cell.array, (count, 1, 1)),
        ensemble=Ensemble("nve"),
        velocities=velocities,
        energies_ev=None,
    )


def _curves(own: Vibrations, other: Vibrations) -> Curves:
    """Over bins up to where both have hardly a mode left."""
    reach = max(_reach(own), _reach(other))
    width = max(own.resolution_thz, other.resolution_thz)
    edges = np.linspace(0.0, reach, min(BINS, max(4, int(reach / width))) + 1)
    values = [_binned(one, edges) for one in (own, other)]
    (first, first_std), (second, second_std) = values
    return Curves(0.5 * (edges[1:] + edges[:-1]), first, first_std, second, second_std)


def _reach(one: Vibrations) -> float:
    """THz, below which all but one in a hundred modes are."""
    through = np.cumsum(one.total_per_thz) / one.total_per_thz.sum()
    return float(one.frequencies_thz[int(np.searchsorted(through, 0.99))])


def _binned(one: Vibrations, edges: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Shares of the modes in each bin, and their standard errors."""
    total = one.total_per_thz.sum()
    shares = np.histogram(one.frequencies_thz, edges, weights=one.total_per_thz / total)[0]
    squares = np.histogram(one.frequencies_thz, edges, weights=(one.total_per_thz_std / total) ** 2)[0]
    return shares, np.sqrt(squares)

"""Structure in motion: radial and angular distributions against those of a reference trajectory."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np

from adiabat.errors import PropertyUnavailable
from adiabat.properties.observables import (
    AngularDistribution,
    Ensemble,
    RadialDistribution,
    Trajectory,
    angular_distribution,
    radial_distribution,
)
from adiabat.properties.observables.edges import default_reach
from adiabat.validation.check import Case, CheckResult
from adiabat.validation.curves import Curves
from adiabat.validation.dynamics import Motion, langevin, steps_of, timestep_fs

SAMPLE_FS = 25.0
SAME_DENSITY = 0.02
"""Relative: beyond it the start is not the reference's system."""
NO_REFERENCE = "not made: no reference trajectory was given (--reference)"


class StructureCheck:
    """NVT by BAOAB from the start, in the reference's place."""

    name: ClassVar[str] = "structure against the reference"

    def evaluations(self, case: Case) -> int:
        """Of all replicas."""
        steps = steps_of(case.config.settle_ps, case) + _every(case) * _samples(case)
        return 0 if _why_not(case) else case.config.replicas * steps

    def run(self, case: Case) -> Sequence[CheckResult]:
        """Each pair, then each triple."""
        reference, why = case.reference, _why_not(case)
        if reference is None or why:
            return [CheckResult("structure against the reference", None, None, None, "", why)]
        own = sampled(case)
        reach = min(default_reach(own), default_reach(reference))
        radial = [radial_distribution(one, cutoff_angstrom=reach, quiet=True) for one in (own, reference)]
        results = list(_radial(case, *radial))
        try:
            ours = angular_distribution(reference, quiet=True)
        except PropertyUnavailable as error:
            return [*results, CheckResult("adf against the reference", None, None, None, "", f"not made: {error.what}")]
        cutoff = max(ours.cutoffs_angstrom.values())
        angular = [angular_distribution(one, cutoff_angstrom=cutoff, quiet=True) for one in (own, reference)]
        return [*results, *_angular(case, *angular)]


def sampled(case: Case) -> Trajectory:
    """Frames of all replicas at the temperature, one replica after the other."""
    kelvin = case.temperature_k
    motion = Motion.begun(case, langevin(case, kelvin), replicas=case.config.replicas, temperature_k=2 * kelvin, seed=4)
    motion.advance(steps_of(case.config.settle_ps, case))
    shape = (case.config.replicas, len(case.start), 3)
    seen = [state.batch.positions.numpy().reshape(shape) for state in motion.every(_every(case), _samples(case))]
    positions = np.concatenate(list(np.swapaxes(np.array(seen), 0, 1)))
    first = Trajectory.from_atoms([case.start] * 2, interval_fs=1.0, place="validation")
    return replace(
        first,
        times_fs=np.linspace(0.0, SAMPLE_FS * (len(positions) - 1), len(positions)),
        positions=positions,
        cells=np.tile(case.start.cell.array, (len(positions), 1, 1)),
        ensemble=Ensemble("nvt", thermostat="langevin", temperature_k=kelvin),
        velocities=None,
        energies_ev=None,
    )


def _why_not(case: Case) -> str:
    reference = case.reference
    if reference is None:
        return NO_REFERENCE
    if not case.start.pbc.all():
        return "not made: the start is not periodic in three directions"
    if sorted(set(case.start.numbers.tolist())) != list(reference.species):
        return "not made: the reference is of other species than the start"
    own, other = case.start.get_volume() / len(case.start), float(reference.volumes.mean()) / reference.n_atoms
    if abs(own / other - 1) > SAME_DENSITY:
        return f"not made: the start has {own:.4g} Å³/atom, the reference {other:.4g}"
    return ""


def _every(case: Case) -> int:
    return max(1, round(SAMPLE_FS / timestep_fs(case)))


def _samples(case: Case) -> int:
    return max(2, steps_of(case.config.nvt_ps, case) // _every(case))


def _radial(case: Case, own: RadialDistribution, other: RadialDistribution) -> Iterator[CheckResult]:
    for name, one in own.pairs.items():
        there = other.pairs[name]
        curves = Curves(own.distances, one.values, one.values_std, there.values, there.values_std)
        yield curves.compared(case, f"g(r) of {name} against the reference", "distance (Å)", "g(r)")


def _angular(case: Case, own: AngularDistribution, other: AngularDistribution) -> Iterator[CheckResult]:
    middles = 0.5 * (own.edges_degrees[1:] + own.edges_degrees[:-1])
    for name in sorted(set(own.triples) & set(other.triples)):
        one, there = own.triples[name], other.triples[name]
        curves = Curves(
            middles,
            one.values_per_degree,
            one.values_per_degree_std,
            there.values_per_degree,
            there.values_per_degree_std,
        )
        yield curves.compared(case, f"angles {name} against the reference", "angle (°)", "density (1/°)")

"""Random packings, relaxed: where a potential takes atoms that stand anyhow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms

from adiabat.holes.contacts import Approach, Pair, nearest_approach
from adiabat.holes.relaxation import SNAPSHOT_STEPS, relax
from adiabat.potential import Potential
from adiabat.runs import track
from adiabat.system import Batch

AT_ONCE = 20
"""Packings that are relaxed together: more gain no speed on a processor, and need more memory."""


@dataclass(frozen=True)
class RelaxedPacking:
    """Where a random packing came to rest.

    Attributes:
        way: On the way, every few steps.
        end: As it was left.
        nearest: The nearest atoms at the end; None where none are within their contact distance.
        energy_ev_per_atom: At the end, without the parts of the potential that exert no force.
        largest_force: eV/Å, at the end.
        steps: Made.
    """

    way: tuple[Atoms, ...]
    end: Atoms
    nearest: Approach | None
    energy_ev_per_atom: float
    largest_force: float
    steps: int

    @property
    def ratio(self) -> float:
        """The nearest distance over its contact distance; infinite where no atoms are within it."""
        return np.inf if self.nearest is None else self.nearest.ratio


def relaxed_packings(
    potential: Potential, packings: Sequence[Atoms], contacts: Mapping[Pair, float], *, quiet: bool = False
) -> list[RelaxedPacking]:
    """Packings relaxed at their volume.

    Args:
        potential: What is followed.
        packings: Where to begin.
        contacts: Å, by pair, as `contact_distances` gives them.
        quiet: Show no progress.
    """
    mobile = without_constants(potential)
    parts = [packings[first : first + AT_ONCE] for first in range(0, len(packings), AT_ONCE)]
    found = []
    for part in track(parts, f"relaxing random packings, {AT_ONCE} at a time", quiet=quiet):
        found += _relaxed(mobile, part, contacts)
    return found


def without_constants(potential: Potential) -> Potential:
    """The potential without the parts that exert no force, so that an energy is one of interaction."""
    return Potential([part for part in potential.parts if part.interaction_range > 0] or potential.parts)


def _relaxed(potential: Potential, packings: Sequence[Atoms], contacts: Mapping[Pair, float]) -> list[RelaxedPacking]:
    rest = relax(potential, Batch.from_atoms(packings))
    ends = rest.batch.to_atoms()
    ways = zip(*(rest.batch.replace(positions=snapshot).to_atoms() for snapshot in rest.snapshots), strict=True)
    on_the_way = list(ways) or [()] * len(ends)
    return [
        RelaxedPacking(
            way=on_the_way[index][: int(rest.steps[index]) // SNAPSHOT_STEPS],
            end=end,
            nearest=nearest_approach(end, contacts),
            energy_ev_per_atom=float(rest.energy_ev[index]) / len(end),
            largest_force=float(rest.largest_force[index]),
            steps=int(rest.steps[index]),
        )
        for index, end in enumerate(ends)
    ]

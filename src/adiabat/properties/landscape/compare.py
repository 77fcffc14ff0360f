"""What a reference says of a potential's minima and saddles."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from ase import Atoms

from adiabat.potential import Potential
from adiabat.properties.arrays import evaluated
from adiabat.properties.relaxation import RelaxationSettings, relax
from adiabat.results import EXACT, Result
from adiabat.typing import FloatArray

HELD_EV_PER_ATOM = 0.05
"""By how much a minimum may fall under the reference before it is called spurious: a few lattice constants' errors, no other structure."""


@dataclass(frozen=True)
class Compared(Result):
    """Minima of a potential under a reference.

    Attributes:
        energies_ev_per_atom: (n) where the potential has them, above the structure that the search began with, at its own rest there.
        falls_ev_per_atom: (n) by how much the reference relaxes them further down.
        errors_ev_per_atom: (n) of the potential: its energy less the reference's, both above the structure that the search began with.
        at_rest: (n) whether they come to rest under the reference.
        spurious: (n) the reference does not hold them: they fall by more than 0.05 eV/atom, or do not come to rest.
    """

    energies_ev_per_atom: FloatArray = field(metadata=EXACT)
    falls_ev_per_atom: FloatArray = field(metadata=EXACT)
    errors_ev_per_atom: FloatArray = field(metadata=EXACT)
    at_rest: tuple[bool, ...]
    spurious: tuple[bool, ...]


def compared_with(
    structures: Sequence[Atoms],
    rest: Atoms,
    potential: Potential,
    reference: Potential,
    settings: RelaxationSettings,
) -> Compared:
    """Relax a potential's minima under a reference.

    Args:
        structures: Its minima.
        rest: By which energies are counted.
        potential: Whose minima they are.
        reference: That is believed.
        settings: Of the relaxations.
    """
    first, *found = relax([rest, *structures], reference, settings)
    zero = first.energy_ev_per_atom
    there = evaluated(reference, [rest, *structures], "energy")[0][1:] / len(rest)
    own = evaluated(potential, [rest, *structures], "energy")[0] / len(rest)
    ended = np.array([one.energy_ev_per_atom for one in found])
    falls = there - ended
    held = tuple(one.converged for one in found)
    return Compared(
        energies_ev_per_atom=there - zero,
        falls_ev_per_atom=falls,
        errors_ev_per_atom=own[1:] - own[0] - (there - zero),
        at_rest=held,
        spurious=tuple(not rests or not fall < HELD_EV_PER_ATOM for rests, fall in zip(held, falls, strict=True)),
    )


def energies_above(structures: Sequence[Atoms], minima: Sequence[Atoms], potential: Potential) -> FloatArray:
    """(n,) eV of structures above others, one by one, where they stand."""
    energies = evaluated(potential, [*structures, *minima], "energy")[0]
    return energies[: len(structures)] - energies[len(structures) :]

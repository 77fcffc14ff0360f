"""A survey of what a potential does where its data end: whether anything draws atoms into one another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from torch import Tensor

from adiabat.holes.contacts import contact_distances
from adiabat.holes.curves import EnergyCurve, Hole, deepest_hole
from adiabat.holes.dimers import dimer_curves
from adiabat.holes.hosts import crystals_of
from adiabat.holes.pushes import push_curves
from adiabat.holes.random_packings import packings_like
from adiabat.holes.relaxed_packings import RelaxedPacking, relaxed_packings, without_constants
from adiabat.holes.squeezes import squeeze_curves
from adiabat.potential import Potential
from adiabat.system import Labelled

NEAREST_RATIO = 0.7
"""Of the shortest distance in the data: a packing may not come to rest nearer."""

DEEPEST_BELOW_EV = 0.5
"""Per atom. The data need not hold the best crystal of an element, but no random packing of it can lie so far below."""

SHALLOWEST_EV = 0.005
"""A fall that is no deeper holds no atom at any temperature of interest, and to mend it would cost more than it is worth."""


@dataclass(frozen=True)
class HoleSurvey:
    """What a potential does where its data end.

    Attributes:
        curves: Dimers, pushed atoms and squeezed crystals; on each the energy has to rise, but for falls of `SHALLOWEST_EV`.
        packings: Random ones, relaxed.
        lowest_ev_per_atom: By atomic number, the lowest energy of a crystal of that element alone in the data, as the
            potential has it, counted as that of the packings; elements without one are not there.
    """

    curves: tuple[EnergyCurve, ...]
    packings: tuple[RelaxedPacking, ...]
    lowest_ev_per_atom: dict[int, float]

    @property
    def falls(self) -> tuple[Hole, ...]:
        """Curves on which the energy falls by more than `SHALLOWEST_EV`, the deepest first."""
        found = [hole for hole in map(deepest_hole, self.curves) if hole is not None and hole.depth_ev > SHALLOWEST_EV]
        return tuple(sorted(found, key=lambda hole: -hole.depth_ev))

    def collapsed(self, nearest_ratio: float = NEAREST_RATIO) -> dict[int, RelaxedPacking]:
        """By index, the packings that came to rest with atoms nearer than this part of the shortest distance in the data."""
        return {index: packing for index, packing in enumerate(self.packings) if packing.ratio < nearest_ratio}

    def sunk(self, deepest_below_ev: float = DEEPEST_BELOW_EV) -> dict[int, RelaxedPacking]:
        """By index, the packings of one element that came to rest so far below its crystals (per atom), and any without an energy."""
        allowed = {number: lowest - deepest_below_ev for number, lowest in self.lowest_ev_per_atom.items()}
        return {
            index: packing
            for index, packing in enumerate(self.packings)
            if not packing.energy_ev_per_atom >= _of_element(packing, allowed)
        }

    def complaints(self) -> list[str]:
        """A sentence for each hole."""
        return [
            *(str(hole) for hole in self.falls),
            *(f"random packing {index}: {packing.nearest}" for index, packing in self.collapsed().items()),
            *(
                f"random packing {index}: at {packing.energy_ev_per_atom:.2f} eV/atom, below all crystals of the data"
                for index, packing in self.sunk().items()
            ),
        ]


def _of_element(packing: RelaxedPacking, values: Mapping[int, float]) -> float:
    """That of the packing's only element; minus infinity where it holds several, or one without a value."""
    species = set(packing.end.numbers.tolist())
    return values.get(species.pop(), -np.inf) if len(species) == 1 else -np.inf


def survey_holes(
    potential: Potential,
    structures: Sequence[Labelled],
    *,
    packings: int = 1000,
    directions: int = 10,
    seed: int = 0,
    quiet: bool = False,
) -> HoleSurvey:
    """Dimers, pushed atoms, squeezed crystals and random packings.

    Args:
        potential: What is asked.
        structures: The data that it was made from.
        packings: How many are relaxed; a thousand take the compiled kernel less than a minute, the reference half an hour.
        directions: In which an atom is pushed, for each pair.
        seed: Of all that is random.
        quiet: Show no progress.

    Raises:
        DataError: The data hold too little to judge by.
    """
    contacts = contact_distances(structures, potential.species)
    curves = (
        *dimer_curves(potential, contacts),
        *push_curves(potential, structures, contacts, directions=directions, seed=seed, quiet=quiet),
        *squeeze_curves(potential, crystals_of(structures), contacts),
    )
    thrown = packings_like(structures, contacts, packings, seed=seed) if packings else []
    relaxed = relaxed_packings(potential, thrown, contacts, quiet=quiet)
    return HoleSurvey(curves, tuple(relaxed), _lowest_energies(potential, structures))


def _lowest_energies(potential: Potential, structures: Sequence[Labelled]) -> dict[int, float]:
    """eV/atom by element, over the crystals of one element that are lowest among their kind."""
    mobile, found = without_constants(potential), dict[int, float]()
    for number in potential.species:
        pure = [s for s in structures if set(s.atoms.numbers.tolist()) == {number}]
        crystals = list(crystals_of(pure).values())
        if crystals:
            energies = cast(Tensor, mobile(crystals, want=("energy",)).energy).tolist()
            found[number] = min(energy / len(atoms) for energy, atoms in zip(energies, crystals, strict=True))
    return found

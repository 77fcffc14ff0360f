"""Random packings: cells of randomly placed atoms, with the compositions and about the densities of a data set, relaxed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms

from adiabat.errors import DataError
from adiabat.potential import Potential
from adiabat.runs import track
from adiabat.system import Batch, Labelled
from adiabat.testing.holes.contacts import Approach, Pair, contact_table, nearest_approach
from adiabat.testing.holes.relaxation import relax
from adiabat.typing import FloatArray, IntArray

ATOMS = (8, 20)
DENSITY = (0.5, 1.5)
"""Times the median density of the data."""

CLOSEST = 0.5
"""Of the contact distance: no two atoms are placed nearer."""

MARGIN = 2.0
"""Å by which a molecule's box is larger than its nuclei's: about the room that it takes up in a liquid."""

DRAWS = 200
"""Of a place for one atom, before all begin anew."""

RESTARTS = 100

AT_ONCE = 20
"""Packings that are relaxed together: more gain no speed on a processor, and need more memory."""


@dataclass(frozen=True)
class RelaxedPacking:
    """Where a random packing came to rest.

    Attributes:
        start: As it was made.
        end: As it was left.
        nearest: The nearest atoms at the end; None where none are within their contact distance.
        energy_ev_per_atom: At the end, without the parts of the potential that exert no force.
        largest_force: eV/Å, at the end.
        steps: Made.
    """

    start: Atoms
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
    potential: Potential,
    structures: Sequence[Labelled],
    contacts: Mapping[Pair, float],
    count: int,
    *,
    seed: int = 0,
    quiet: bool = False,
) -> list[RelaxedPacking]:
    """Packings as `random_packings` makes them, relaxed at their volume.

    Args:
        potential: What is followed.
        structures: The data.
        contacts: Å, by pair, as `contact_distances` gives them.
        count: How many.
        seed: Of all that is random.
        quiet: Show no progress.
    """
    mobile = without_constants(potential)
    packings = random_packings(structures, contacts, count, seed=seed)
    parts = [packings[first : first + AT_ONCE] for first in range(0, count, AT_ONCE)]
    found = []
    for part in track(parts, f"relaxing random packings, {AT_ONCE} at a time", quiet=quiet):
        found += _relaxed(mobile, part, contacts)
    return found


def without_constants(potential: Potential) -> Potential:
    """The potential without the parts that exert no force, so that an energy is one of interaction."""
    return Potential([part for part in potential.parts if part.interaction_range > 0] or potential.parts)


def _relaxed(potential: Potential, packings: list[Atoms], contacts: Mapping[Pair, float]) -> list[RelaxedPacking]:
    rest = relax(potential, Batch.from_atoms(packings))
    ends = rest.batch.to_atoms()
    return [
        RelaxedPacking(
            start=start,
            end=end,
            nearest=nearest_approach(end, contacts),
            energy_ev_per_atom=float(rest.energy_ev[index]) / len(end),
            largest_force=float(rest.largest_force[index]),
            steps=int(rest.steps[index]),
        )
        for index, (start, end) in enumerate(zip(packings, ends, strict=True))
    ]


def random_packings(
    structures: Sequence[Labelled], contacts: Mapping[Pair, float], count: int, *, seed: int = 0
) -> list[Atoms]:
    """Cubic periodic cells of 8 to 20 atoms.

    Each is drawn by (seed, its index), so that the first of many are the same as few.

    Args:
        structures: The data.
        contacts: Å, by pair, as `contact_distances` gives them.
        count: How many.
        seed: Of all that is random.

    Raises:
        DataError: The data are isolated atoms alone, or the contact distances leave no room at the density of the data.
    """
    structures = [structure for structure in structures if not structure.is_isolated_atom]
    if not structures:
        raise DataError("holds isolated atoms alone", place="the data", rule="packings have the densities of the data")
    volume = volume_per_atom(structures)
    return [_packing(structures, contacts, volume, np.random.default_rng([seed, index])) for index in range(count)]


def volume_per_atom(structures: Sequence[Labelled]) -> float:
    """Å³, the median over crystals; without any, over the boxes that hold the molecules."""
    together = [structure.atoms for structure in structures]
    crystals = [atoms.get_volume() / len(atoms) for atoms in together if atoms.pbc.all()]
    boxes = [float(np.prod(np.ptp(atoms.positions, axis=0) + MARGIN)) / len(atoms) for atoms in together]
    return float(np.median(crystals or boxes))


def _packing(
    structures: Sequence[Labelled], contacts: Mapping[Pair, float], volume: float, rng: np.random.Generator
) -> Atoms:
    present = structures[int(rng.integers(len(structures)))].atoms.numbers
    n = int(rng.integers(ATOMS[0], ATOMS[1] + 1))
    numbers = rng.choice(present, n, replace=len(present) < n)
    edge = (n * volume / rng.uniform(*DENSITY)) ** (1 / 3)
    for _ in range(RESTARTS):
        positions = _placed(numbers, edge, CLOSEST * contact_table(contacts), rng)
        if positions is not None:
            return Atoms(numbers, positions=positions, cell=[edge] * 3, pbc=True)
    raise DataError(
        f"{n} atoms do not fit into {edge**3:.1f} Å³ at half of their contact distances",
        rule="random packings have 0.5 to 1.5 times the density of the data",
    )


def _placed(numbers: IntArray, edge: float, closest: FloatArray, rng: np.random.Generator) -> FloatArray | None:
    """One atom after the other, each far enough from those before it; None where one finds no place."""
    positions = np.empty((0, 3))
    for number in numbers:
        candidates = rng.uniform(0, edge, (DRAWS, 1, 3))
        apart = candidates - positions
        distances = np.linalg.norm(apart - edge * np.round(apart / edge), axis=-1)
        fits = (distances >= closest[number, numbers[: len(positions)]]).all(-1)
        if not fits.any():
            return None
        positions = np.concatenate([positions, candidates[fits.argmax()]])
    return positions

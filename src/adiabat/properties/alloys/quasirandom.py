"""Special quasi-random cells: small cells whose nearest shells are as those of a random alloy, by sqsgenerator.

A. Zunger et al., Phys. Rev. Lett. 65, 353 (1990); D. Gehringer et al., Comput. Phys. Commun. 286, 108664 (2023).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers

from adiabat.errors import ConfigurationError, StructureError
from adiabat.properties.alloys.composition import counts_of
from adiabat.properties.alloys.shells import Shells, short_range_order
from adiabat.results import EXACT, IN_MEMORY, Result
from adiabat.typing import FloatArray

FALL_OFF = 1.0
"""A shell counts by the inverse of its number to this power."""


@dataclass(frozen=True)
class QuasirandomCell(Result):
    """A cell of an alloy, and how far its shells are from random.

    Attributes:
        formula: Of the cell.
        repeats: Of the crystal's cell.
        elements: (k).
        counts: (k) atoms of each.
        shell_distances_angstrom: (m).
        short_range_order: (m, k, k) Warren and Cowley's parameters, counted on the cell itself; all zero in a random alloy.
        largest_order: The farthest of them from zero.
        shuffled_order: The same of one random arrangement, for comparison.
        cell: The structure.
    """

    formula: str
    repeats: tuple[int, int, int]
    elements: tuple[str, ...]
    counts: tuple[int, ...]
    shell_distances_angstrom: FloatArray = field(metadata=EXACT)
    short_range_order: FloatArray = field(metadata=EXACT)
    largest_order: float = field(metadata=EXACT)
    shuffled_order: float = field(metadata=EXACT)
    cell: Atoms = field(metadata=IN_MEMORY)


def quasirandom_cell(
    crystal: Atoms,
    composition: Mapping[str, float],
    *,
    repeats: Sequence[int],
    shells: int = 3,
    iterations: int = 100_000,
    seed: int = 0,
) -> QuasirandomCell:
    """The best of many arrangements of an alloy on the sites of a crystal.

    Args:
        crystal: Whose sites, all of one element, take the alloy's atoms.
        composition: Shares by element.
        repeats: Of the crystal's cell.
        shells: Whose order is made small, the nearest first.
        iterations: Arrangements that are tried.
        seed: Of them.

    Raises:
        ConfigurationError: sqsgenerator is not installed, or the cell holds too few atoms of an element.
        StructureError: The crystal is an alloy already.
    """
    if len(set(crystal.numbers.tolist())) > 1:
        raise StructureError(
            f"holds {crystal.get_chemical_formula()}",
            place="quasi-random cell",
            rule="the alloy takes the sites of a crystal of one element",
            mend="give the crystal of one of its elements, at the alloy's lattice constant",
        )
    number = (int(repeats[0]), int(repeats[1]), int(repeats[2]))
    sites = crystal.repeat(number)
    counts = counts_of(composition, len(sites))
    around = Shells.of(sites, shells)
    best = sites.copy()
    best.numbers = _best(sites, counts, around, iterations, seed)
    elements = [atomic_numbers[symbol] for symbol in counts]
    found = short_range_order(best.numbers, around, elements)
    at_random = np.random.default_rng(seed).permutation(best.numbers)
    return QuasirandomCell(
        formula=best.get_chemical_formula(),
        repeats=number,
        elements=tuple(counts),
        counts=tuple(counts.values()),
        shell_distances_angstrom=around.distances,
        short_range_order=found,
        largest_order=float(np.abs(found).max()),
        shuffled_order=float(np.abs(short_range_order(at_random, around, elements)).max()),
        cell=best,
    )


def _best(sites: Atoms, counts: Mapping[str, int], around: Shells, iterations: int, seed: int) -> np.ndarray:
    """(N,) atomic numbers."""
    try:
        import sqsgenerator
    except ImportError as error:
        raise ConfigurationError(
            "sqsgenerator is not installed",
            place="quasi-random cell",
            rule="arrangements are searched by it",
            mend="pip install 'adiabat[alloys]'",
        ) from error
    symbol = sites.get_chemical_symbols()[0]
    lattice: dict[str, Any] = {
        "lattice": sites.cell.array.tolist(),
        "coords": sites.get_scaled_positions().tolist(),
        "species": [symbol] * len(sites),
    }
    edges = [0.0, *(0.5 * (around.distances[1:] + around.distances[:-1])), around.distances[-1] + 0.1]
    configuration = {
        "structure": lattice,
        "composition": dict(counts),
        "iterations": iterations,
        "iteration_mode": "random",
        "shell_radii": [float(edge) for edge in edges],
        "shell_weights": {place: place**-FALL_OFF for place in range(1, len(around.distances) + 1)},
        "max_results_per_objective": 1,
        "thread_config": 1,
        "seed": seed,
    }
    found = sqsgenerator.optimize(sqsgenerator.parse_config(configuration))
    made = sqsgenerator.to_ase(found.best().structure())
    return _in_order(made, sites)


def _in_order(made: Atoms, sites: Atoms) -> np.ndarray:
    """The elements of a structure on the sites, whatever order they come back in."""
    places = made.get_scaled_positions()[:, None] - sites.get_scaled_positions()[None]
    places -= np.round(places)
    nearest = np.linalg.norm(places @ sites.cell.array, axis=2).argmin(0)
    return made.numbers[nearest]

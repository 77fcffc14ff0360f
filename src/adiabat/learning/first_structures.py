"""Made structures that a potential is first trained on: around the start structures, displaced, strained, denser, thinner, squeezed."""

from collections.abc import Sequence
from itertools import combinations_with_replacement

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers
from ase.neighborlist import neighbor_list

from adiabat.data import measure_distances
from adiabat.errors import ConfigurationError
from adiabat.learning.config import LearnConfig
from adiabat.system import Labelled

DISPLACED = (0.01, 0.08)
"""Standard deviation, of the shortest distance."""
STRAINED = 0.05
"""Largest component."""
SQUEEZED = (0.75, 0.9)
"""Of the distance of two neighbours, from, to."""
NEIGHBOURS_ANGSTROM = 4.0
LEAST_AROUND = 8


def first_structures(starts: Sequence[Atoms], config: LearnConfig) -> list[Labelled]:
    """All that is labelled before the first training: isolated atoms, neighbours pushed together, and structures around the given.

    Args:
        starts: The start structures.
        config: How many.

    Raises:
        ConfigurationError: Too few.
    """
    lone = isolated_atoms(starts)
    near = squeezed(starts, config.squeezed, seed=config.seed)
    left = config.first - len(lone) - len(near)
    if left < max(LEAST_AROUND, len(starts)):
        raise ConfigurationError(
            f"first={config.first}, of which {len(lone)} are isolated atoms and {len(near)} have squeezed neighbours",
            place="first",
            rule=f"{LEAST_AROUND} structures or more are around the start structures, and one or more around each",
            mend=f"first={config.first + max(LEAST_AROUND, len(starts)) - left} or more",
        )
    return [*lone, *near, *around_all(starts, left, config, seed=config.seed)]


def around_all(starts: Sequence[Atoms], count: int, config: LearnConfig, *, seed: int) -> list[Labelled]:
    """Structures around each of the given ones, in equal shares."""
    shares = [count // len(starts) + (place < count % len(starts)) for place in range(len(starts))]
    return [
        one
        for place, (atoms, share) in enumerate(zip(starts, shares, strict=True))
        for one in around(atoms, share, volumes=config.explore.volume_range, seed=seed + place)
    ]


def isolated_atoms(starts: Sequence[Atoms]) -> list[Labelled]:
    """One of each species: energies are counted from theirs."""
    return [
        Labelled(Atoms(symbol, [[0.0, 0.0, 0.0]]), config_type="IsolatedAtom", place=f"isolated {symbol}")
        for symbol in sorted({symbol for atoms in starts for symbol in atoms.get_chemical_symbols()})
    ]


def squeezed(starts: Sequence[Atoms], count: int, *, seed: int) -> list[Labelled]:
    """Start structures with two neighbours pushed together, for each pair of species that has neighbours: what hot atoms meet.

    Args:
        starts: The start structures; the first in which a pair has neighbours is taken.
        count: For each pair.
        seed: Of what is drawn.
    """
    rng, found = np.random.default_rng(seed), list[Labelled]()
    symbols = sorted({symbol for atoms in starts for symbol in atoms.get_chemical_symbols()})
    for pair in combinations_with_replacement(symbols, 2):
        bonds = next((bonds for bonds in (_bonds(atoms, pair) for atoms in starts) if bonds[1]), None)
        if bonds is None:
            continue
        atoms, nearest = bonds
        for number, ratio in enumerate(np.linspace(*SQUEEZED, count)):
            first, second, vector = nearest[int(rng.integers(len(nearest)))]
            one = Atoms(atoms.numbers, positions=atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
            one.positions[first] += 0.5 * (1 - ratio) * vector
            one.positions[second] -= 0.5 * (1 - ratio) * vector
            place = f"squeezed {'-'.join(pair)} {number}"
            found.append(Labelled(one, config_type="squeezed", place=place))
    return found


def _bonds(atoms: Atoms, pair: tuple[str, str]) -> tuple[Atoms, list[tuple[int, int, np.ndarray]]]:
    """Shortest bonds of two different atoms of a pair of species: first, second, vector."""
    i, j, d, vectors = neighbor_list("ijdD", atoms, NEIGHBOURS_ANGSTROM)
    one, other = (atomic_numbers[symbol] for symbol in pair)
    of_pair = (atoms.numbers[i] == one) & (atoms.numbers[j] == other) & (i != j)
    if not of_pair.any():
        return atoms, []
    near = of_pair & (d < 1.1 * d[of_pair].min())
    return atoms, [(int(i[k]), int(j[k]), vectors[k]) for k in np.flatnonzero(near)]


def around(atoms: Atoms, count: int, *, volumes: Sequence[float], seed: int) -> list[Labelled]:
    """Structures around a given one.

    Args:
        atoms: The start structure.
        count: How many.
        volumes: Relative to its own, from, to; of periodic structures.
        seed: Of what is drawn.
    """
    rng = np.random.default_rng(seed)
    shortest = float(measure_distances([Labelled(atoms)], quiet=True).least()[0])
    amplitudes = np.geomspace(*DISPLACED, 2 * count + 1)[1::2] * shortest
    return [
        Labelled(_changed(atoms, amplitude, volumes, rng), config_type="made", place=f"made structure {number}")
        for number, amplitude in enumerate(amplitudes)
    ]


def _changed(atoms: Atoms, amplitude: float, volumes: Sequence[float], rng: np.random.Generator) -> Atoms:
    found = Atoms(atoms.numbers, positions=atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
    if atoms.pbc.all():
        strain = rng.uniform(-STRAINED, STRAINED, (3, 3))
        strain = 0.5 * (strain + strain.T)
        strain += np.eye(3) * (1 - np.trace(strain) / 3)
        scale = float(rng.uniform(volumes[0], volumes[1])) ** (1 / 3)
        found.set_cell(scale * atoms.cell.array @ strain, scale_atoms=True)
    found.positions += rng.normal(scale=amplitude, size=found.positions.shape)
    return found

"""Structures that contracts are checked on: made from species and a length, with fixed seeds."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.data import covalent_radii

from adiabat.neighbors import neighbor_graph
from adiabat.system import Batch
from adiabat.typing import FloatArray

CANDIDATES = 10
"""Random structures to choose from."""

OPEN = {
    "slab": (True, True, False),
    "slab along another direction": (False, True, True),
    "wire": (False, False, True),
    "cluster without a cell": (False, False, False),
}


@dataclass(frozen=True)
class Case:
    """A structure and what is special about it."""

    name: str
    atoms: Atoms


def default_length(species: Sequence[int]) -> float:
    """Å: a distance between neighbours that the species can have: twice the largest covalent radius, and a tenth more."""
    return 2.2 * max(float(covalent_radii[number]) for number in species)


def contract_cases(species: Sequence[int], *, length: float, radii: Collection[float] = ()) -> list[Case]:
    """Small structures in which every atom has neighbours.

    Args:
        species: Atomic numbers, taken in turn.
        length: Å, the distance between neighbours.
        radii: Å, where terms begin or end. A finite difference means nothing across a kink in a higher derivative, so of
            several random structures the one is taken whose distances keep furthest from these.
    """
    makers: dict[str, Callable[[int], Atoms]] = {
        "triclinic cell": lambda seed: packing(species, (2, 2, 1), length=length, seed=seed),
        "cell of every species": lambda seed: packing(species, (2, 1, -(-len(species) // 2)), length=length, seed=seed),
        "compressed cell": lambda seed: packing(species, (1, 2, 2), length=0.55 * length, seed=seed),
        "left-handed cell": lambda seed: _mirrored(packing(species, (2, 1, 2), length=length, seed=seed)),
        "atoms outside their cell": lambda seed: _scattered(packing(species, (1, 2, 2), length=length, seed=seed)),
        "cell of one atom": lambda seed: packing(species, (1, 1, 1), length=length, seed=seed),
        "cell of two atoms": lambda seed: packing(species[::-1], (2, 1, 1), length=length, seed=seed),
    }
    for name, pbc in OPEN.items():
        makers[name] = lambda seed, pbc=pbc: opened(packing(species, (2, 1, 2), length=length, seed=seed), pbc)
    return [Case(name, _clear_of(radii, make)) for name, make in makers.items()]


def packing(species: Sequence[int], repeats: tuple[int, int, int], *, length: float, seed: int) -> Atoms:
    """A grid of sites about `length` apart, strained and rattled, periodic in all directions; one atom on each site."""
    rng = np.random.default_rng(seed)
    sites = np.stack(np.meshgrid(*(np.arange(n) for n in repeats), indexing="ij"), -1).reshape(-1, 3)
    strain = np.eye(3) + rng.uniform(-0.12, 0.12, (3, 3))
    positions = length * (sites + rng.uniform(-0.1, 0.1, sites.shape)) @ strain
    return Atoms(np.resize(species, len(sites)), positions=positions, cell=length * np.diag(repeats) @ strain, pbc=True)


def opened(atoms: Atoms, pbc: tuple[bool, bool, bool]) -> Atoms:
    """The structure with other periodic directions, and no cell vectors along the open ones."""
    cell = np.where(np.array(pbc)[:, None], atoms.cell.array, 0.0)
    return Atoms(atoms.numbers, positions=atoms.positions, cell=cell, pbc=pbc)


def random_rotation(rng: np.random.Generator) -> FloatArray:
    """(3, 3), uniform over the proper rotations."""
    orthogonal, triangular = np.linalg.qr(rng.normal(size=(3, 3)))
    orthogonal = orthogonal * np.sign(np.diag(triangular))
    return orthogonal * np.sign(np.linalg.det(orthogonal))


def transformed(atoms: Atoms, matrix: FloatArray) -> Atoms:
    """Positions and cell times `matrix`."""
    return Atoms(atoms.numbers, positions=atoms.positions @ matrix, cell=atoms.cell.array @ matrix, pbc=atoms.pbc)


def displaced(atoms: Atoms, displacement: FloatArray) -> Atoms:
    """The structure with its atoms moved, not wrapped."""
    moved = atoms.copy()
    moved.positions += displacement
    return moved


def _mirrored(atoms: Atoms) -> Atoms:
    return transformed(atoms, np.diag([1.0, 1.0, -1.0]))


def _scattered(atoms: Atoms) -> Atoms:
    return displaced(atoms, np.array([[3, 0, -2], [0, -1, 0], [5, 5, 5], [0, 0, 1]]) @ atoms.cell.array)


def _clear_of(radii: Collection[float], make: Callable[[int], Atoms]) -> Atoms:
    candidates = [make(seed) for seed in range(CANDIDATES)]
    return max(candidates, key=lambda atoms: _clearance(atoms, radii))


def _clearance(atoms: Atoms, radii: Collection[float]) -> float:
    """Å: how far the distances between atoms keep from the radii."""
    if not radii:
        return np.inf
    graph = neighbor_graph(Batch.from_atoms(atoms), max(radii) + 1.0)
    distances = graph.vectors().square().sum(-1).sqrt().numpy()
    return min(float(np.abs(distances - radius).min(initial=np.inf)) for radius in radii)

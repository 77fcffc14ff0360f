"""Second derivatives of the energy at rest, by central differences of forces, many in one evaluation."""

from collections.abc import Sequence

import numpy as np
from ase import Atoms

from adiabat.potential import Potential
from adiabat.properties.arrays import evaluated
from adiabat.typing import FloatArray

DISPLACEMENT_ANGSTROM = 0.01
"""Either way; the error is of the second order in it."""

ATOMS_AT_ONCE = 50_000
"""So that memory does not grow with the square of a cell's size."""


def force_constants(atoms: Atoms, potential: Potential) -> FloatArray:
    """(3N, 3N) eV/Å²: minus the derivatives of the forces by the positions; every periodic image of an atom moves with it."""
    structures, at_once = displaced(atoms), max(1, ATOMS_AT_ONCE // len(atoms))
    parts = [
        evaluated(potential, structures[start : start + at_once], "forces")[0]
        for start in range(0, len(structures), at_once)
    ]
    return from_forces(np.concatenate(parts), len(atoms))


def displaced(atoms: Atoms) -> list[Atoms]:
    """6 N structures: each coordinate of each atom forwards, then each backwards."""
    return [
        _moved(atoms, sign * DISPLACEMENT_ANGSTROM, coordinate)
        for sign in (1.0, -1.0)
        for coordinate in range(3 * len(atoms))
    ]


def from_forces(forces: FloatArray, n_atoms: int) -> FloatArray:
    """(3N, 3N) eV/Å², from the forces (6 N · N, 3) on all atoms of `displaced`, made symmetric."""
    forwards, backwards = forces.reshape(2, 3 * n_atoms, 3 * n_atoms)
    constants = (backwards - forwards) / (2 * DISPLACEMENT_ANGSTROM)
    return 0.5 * (constants + constants.T)


def without_translations(atoms: Atoms, weights: Sequence[float] | FloatArray) -> FloatArray:
    """(3N, 3N): the projection onto what is orthogonal to translations, in coordinates scaled by `weights` (N,)."""
    directions = np.kron(np.asarray(weights, dtype=np.float64)[:, None], np.eye(3))
    directions /= np.linalg.norm(directions, axis=0)
    return np.eye(3 * len(atoms)) - directions @ directions.T


def _moved(atoms: Atoms, by: float, coordinate: int) -> Atoms:
    copy = atoms.copy()
    copy.positions[coordinate // 3, coordinate % 3] += by
    return copy

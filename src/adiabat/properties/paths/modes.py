"""Vibrations of a structure at a stationary point: what harmonic rates are made of, and what tells a saddle from a minimum."""

from dataclasses import dataclass

import numpy as np
from ase import Atoms

from adiabat.potential import Potential
from adiabat.properties.force_constants import force_constants
from adiabat.typing import FloatArray
from adiabat.units import ACCELERATION_PER_EV_PER_ANGSTROM_PER_AMU

THZ_PER_PER_FS = 1e3 / (2 * np.pi)
"""THz for a circular frequency of 1/fs."""


@dataclass(frozen=True)
class Modes:
    """Vibrations, free motions of the whole structure left out.

    Attributes:
        frequencies_thz: (k,) ascending; negative where imaginary.
        lowest: (N, 3) Å, the displacement of the first mode, its longest vector of length one.
    """

    frequencies_thz: FloatArray
    lowest: FloatArray

    @property
    def negative(self) -> int:
        """How many are imaginary."""
        return int((self.frequencies_thz < 0).sum())


def modes(atoms: Atoms, potential: Potential, moves: np.ndarray) -> Modes:
    """The vibrations of atoms that are not held.

    Args:
        atoms: At a stationary point.
        potential: Under which it is one.
        moves: (N,) bool.
    """
    free = np.repeat(moves, 3)
    roots = np.sqrt(atoms.get_masses())
    scale = np.repeat(1 / roots, 3)[free]
    constants = force_constants(atoms, potential)[np.ix_(free, free)]
    dynamical = constants * np.outer(scale, scale)
    whole = free_motions(atoms, roots) if moves.all() else np.zeros((len(scale), 0))
    away = np.linalg.svd(whole, full_matrices=True)[0][:, whole.shape[1] :]  # an orthonormal basis of what is left
    squares, vectors = np.linalg.eigh(away.T @ dynamical @ away)
    circular = np.sign(squares) * np.sqrt(np.abs(squares) * ACCELERATION_PER_EV_PER_ANGSTROM_PER_AMU)
    lowest = np.zeros(3 * len(atoms))
    lowest[free] = away @ vectors[:, 0] * scale
    lowest = lowest.reshape(-1, 3)
    return Modes(circular * THZ_PER_PER_FS, lowest / np.linalg.norm(lowest, axis=1).max())


def free_motions(atoms: Atoms, roots: FloatArray) -> FloatArray:
    """(3N, k) orthonormal: translations, and rotations of what is not periodic."""
    motions = [np.outer(roots, axis).ravel() for axis in np.eye(3)]
    if not atoms.pbc.any():
        arms = atoms.positions - atoms.get_center_of_mass()
        motions += [(roots[:, None] * np.cross(axis, arms)).ravel() for axis in np.eye(3)]
    left, sizes, _ = np.linalg.svd(np.array(motions).T, full_matrices=False)
    return left[:, sizes > 1e-6 * sizes.max()]

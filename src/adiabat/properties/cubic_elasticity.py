"""Elastic constants of a cubic crystal, by finite strain, with the atoms of the cell at rest under it."""

from dataclasses import dataclass

import numpy as np
from ase import Atoms

from adiabat.potential import Potential
from adiabat.properties.arrays import evaluated
from adiabat.properties.cubic_lattice import relaxed_cubic
from adiabat.properties.force_constants import displaced, from_forces, without_translations
from adiabat.results import Result
from adiabat.typing import FloatArray
from adiabat.units import GPA_PER_EV_PER_CUBIC_ANGSTROM

STRAIN = 2e-3
"""Either way; the error is of the second order in it."""
AXIAL, SHEAR = 0, 3
"""Places in Voigt's order."""


@dataclass(frozen=True)
class CubicElasticity(Result):
    """Elastic constants at zero temperature and stress.

    Attributes:
        c11_gpa: Stress along a strained axis.
        c12_gpa: Stress across it.
        c44_gpa: Shear.
        bulk_modulus_gpa: (C11 + 2 C12) / 3.
    """

    c11_gpa: float
    c12_gpa: float
    c44_gpa: float
    bulk_modulus_gpa: float


def cubic_elasticity(crystal: Atoms, potential: Potential) -> CubicElasticity:
    """C11, C12 and C44 of a cubic crystal at its own lattice constant.

    Atoms follow a strain to rest by linear response: C = C⁰ - Λᵀ Φ⁺ Λ / V, with C⁰ of atoms that move with the cell, Λ the
    derivatives of the forces by the strain and Φ⁺ the pseudoinverse of the force constants (M. Born and K. Huang, Dynamical
    Theory of Crystal Lattices (1954), chapter III): what a relaxation gives, in one evaluation of small cells and to all digits.

    Args:
        crystal: As `cubic_lattice` takes it.
        potential: What it is made of.

    Raises:
        StructureError: As `cubic_lattice`.
    """
    rest = relaxed_cubic(crystal, potential)
    structures = [strained(rest, sign * STRAIN, place) for place in (AXIAL, SHEAR) for sign in (1.0, -1.0)]
    forces, stresses = evaluated(potential, [*structures, *displaced(rest)], "forces", "stress")
    n_strained = len(structures) * len(rest)
    by_strain = forces[:n_strained].reshape(2, 2, -1)
    forces_by_strain = ((by_strain[:, 0] - by_strain[:, 1]) / (2 * STRAIN)).T
    pairs = stresses[: len(structures)].reshape(2, 2, 3, 3)
    clamped = (pairs[:, 0] - pairs[:, 1]) / (2 * STRAIN)
    response = _response(rest, from_forces(forces[n_strained:], len(rest)), forces_by_strain)
    c11 = clamped[0, 0, 0] - response[0]
    c44 = clamped[1, 1, 2] - response[1]
    bulk_modulus = np.trace(clamped[0]) / 3  # in a cubic crystal held by symmetry no atom follows a change of volume
    c12 = (3 * bulk_modulus - c11) / 2
    return CubicElasticity(*(float(value * GPA_PER_EV_PER_CUBIC_ANGSTROM) for value in (c11, c12, c44, bulk_modulus)))


def strained(atoms: Atoms, strain: float, place: int) -> Atoms:
    """A copy under a strain, in Voigt's order and with his factor of two in shear; the atoms move with the cell."""
    tensor = np.zeros((3, 3))
    row, column = [(0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)][place]
    tensor[row, column] += strain / 2
    tensor[column, row] += strain / 2
    copy = atoms.copy()
    copy.set_cell(atoms.cell.array @ (np.eye(3) + tensor), scale_atoms=True)
    return copy


def _response(rest: Atoms, constants: FloatArray, forces_by_strain: FloatArray) -> FloatArray:
    """(2,) eV/Å³: by how much atoms that come to rest soften each of the two strains."""
    keep = without_translations(rest, np.ones(len(rest)))
    inverse = np.linalg.pinv(keep @ constants @ keep, rcond=1e-9, hermitian=True)
    return np.einsum("as,ab,bs->s", forces_by_strain, inverse, forces_by_strain) / rest.get_volume()

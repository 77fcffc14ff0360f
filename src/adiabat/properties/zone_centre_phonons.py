"""Frequencies of a crystal at the centre of its Brillouin zone."""

import math
from dataclasses import dataclass

import numpy as np
from ase import Atoms

from adiabat.potential import Potential
from adiabat.properties.force_constants import force_constants, without_translations
from adiabat.results import Result
from adiabat.typing import FloatArray
from adiabat.units import ACCELERATION_PER_EV_PER_ANGSTROM_PER_AMU

THZ_PER_PER_FS = 1e3 / (2 * math.pi)
"""THz for a circular frequency of 1/fs."""


@dataclass(frozen=True)
class ZoneCentrePhonons(Result):
    """Frequencies of the modes in which all cells move alike.

    Attributes:
        frequencies_thz: (3N - 3,) ascending, without the three translations; negative where imaginary.
    """

    frequencies_thz: FloatArray


def zone_centre_phonons(atoms: Atoms, potential: Potential) -> ZoneCentrePhonons:
    """Frequencies by finite displacements.

    Points of the primitive cell's zone that fold onto the centre are there too: the cubic cell of diamond has those of X.

    Args:
        atoms: A structure at rest; every periodic image of an atom moves with it.
        potential: What it is made of.
    """
    roots = np.sqrt(atoms.get_masses())
    keep = without_translations(atoms, roots)
    scale = np.repeat(1 / roots, 3)
    dynamical = keep @ (force_constants(atoms, potential) * np.outer(scale, scale)) @ keep
    squares = np.asarray(np.linalg.eigvalsh(dynamical), dtype=np.float64)
    moving = np.delete(squares, np.argsort(np.abs(squares))[:3])  # what was projected out is zero to rounding
    return ZoneCentrePhonons(frequencies_of(moving))


def frequencies_of(squares: FloatArray) -> FloatArray:
    """THz, negative where imaginary, of eigenvalues of dynamical matrices in eV/Å²/amu."""
    circular = np.sign(squares) * np.sqrt(np.abs(squares) * ACCELERATION_PER_EV_PER_ANGSTROM_PER_AMU)
    return circular * THZ_PER_PER_FS

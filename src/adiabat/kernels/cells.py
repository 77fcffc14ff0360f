"""Compiled arithmetic of cells: what barostats do to them; arrays in, arrays out.

Cells are (S, 3, 3), their rows vectors. Other matrices are (S, 3, 3) and symmetric, or (S, 1, 1), multiples of the unit matrix. All are of
float64 and contiguous.
"""

from dataclasses import dataclass

import numpy as np

from adiabat.kernels import _core
from adiabat.typing import FloatArray


@dataclass(frozen=True, eq=False)
class Inside:
    """What presses on a cell from the inside.

    Attributes:
        kinetic: (S, 3, 3) Σ m v ⊗ v, or (S, 1, 1) a third of its trace; energies.
        stress: (S, 3, 3) of the potential energy, energies per volume, positive under tension.
        volume: (S,).
    """

    kinetic: FloatArray
    stress: FloatArray
    volume: FloatArray


def volumes(cells: FloatArray) -> FloatArray:
    """(S,) the absolute determinants."""
    out = np.empty(len(cells))
    _core.volumes(cells, out)
    return out


def thicknesses(cells: FloatArray, before: FloatArray) -> FloatArray:
    """(S,) from a face to the one across, the least of three; negative where the cell has not the handedness of the one before."""
    out = np.empty(len(cells))
    _core.thicknesses(cells, before, out)
    return out


def deformations(reference: FloatArray, cells: FloatArray, *, flat: float = 0.0) -> tuple[FloatArray, FloatArray]:
    """(S, 3, 3) F with cell = reference · F, and (S,) the Frobenius norms of F - 1.

    Where the two cells are equal F is the unit matrix; where they are not, and the reference has no volume (at most `flat` times the
    product of its lengths), F is not a number.
    """
    out, change = np.empty(cells.shape), np.empty(len(cells))
    _core.deformations(reference, cells, flat, out, change)
    return out, change


def exponential(matrices: FloatArray) -> FloatArray:
    """exp(A)."""
    return np.exp(matrices) if matrices.shape[-1] == 1 else exponentials(matrices)[0]


def exponentials(matrices: FloatArray) -> tuple[FloatArray, FloatArray]:
    """exp(A), and (exp(A) - 1) / A, the mean of the exponential over the way to A."""
    rows = matrices.reshape(len(matrices), -1)
    out, mean = np.empty(rows.shape), np.empty(rows.shape)
    _core.exponentials(rows, out, mean)
    return out.reshape(matrices.shape), mean.reshape(matrices.shape)


def rescaling_strains(
    inside: Inside,
    *,
    pressure: FloatArray,
    thermal: FloatArray,
    compressibility: float,
    rate: float,
    noise: FloatArray,
) -> FloatArray:
    """(S, 1, 1) or (S, 3, 3), as the kinetic tensors: the logarithm of the deformation in one step of stochastic cell rescaling.

    Args:
        inside: What presses.
        pressure: (S,) or (1,), the target.
        thermal: (S,) or (1,) k_B T.
        compressibility: β.
        rate: The time step over τ.
        noise: (S, 1), or (S, 7) for full matrices.
    """
    kinetic = inside.kinetic.reshape(len(noise), -1)
    out = np.empty(kinetic.shape)
    _core.rescaling_strains(kinetic, inside.stress, inside.volume, pressure, thermal, compressibility, rate, noise, out)
    return out.reshape(inside.kinetic.shape)


def strain_heat(strain: FloatArray, shrink: FloatArray, before: Inside, after: Inside) -> FloatArray:
    """(S,) what atoms gain when they and their cell are strained, and their velocities shrunk.

    ½ tr(S K S - K), and V σ : strain as the mean of before and after.
    """
    systems, out = len(strain), np.empty(len(strain))
    rows, shrunk, kinetic = (each.reshape(systems, -1) for each in (strain, shrink, before.kinetic))
    _core.strain_heat(rows, shrunk, kinetic, before.stress, before.volume, after.stress, after.volume, out)
    return out


def cell_forces(inside: Inside, *, pressure: FloatArray, degrees: FloatArray) -> FloatArray:
    """V (P - P₀) + 2 K / f, as the kinetic tensors: what drives a cell in the extended system of Martyna, Tobias and Klein.

    Args:
        inside: What presses: P is the internal pressure, its trace alone for multiples of the unit matrix.
        pressure: (S,) or (1,) P₀.
        degrees: (S,) f.
    """
    kinetic = inside.kinetic.reshape(len(degrees), -1)
    out = np.empty(kinetic.shape)
    _core.cell_forces(kinetic, inside.stress, inside.volume, pressure, degrees, out)
    return out.reshape(inside.kinetic.shape)

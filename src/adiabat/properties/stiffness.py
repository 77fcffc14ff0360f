"""The stiffness tensor as a 6 x 6 matrix, and the moduli that follow from it.

Voigt's order is xx yy zz yz xz xy, with his factor of two in shear strains. Averages: R. Hill, Proc. Phys. Soc. A 65, 349 (1952);
anisotropy: S. I. Ranganathan and M. Ostoja-Starzewski, Phys. Rev. Lett. 101, 055504 (2008).
"""

from dataclasses import dataclass

import numpy as np

from adiabat.typing import FloatArray

VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))
"""The two directions of each place."""


@dataclass(frozen=True)
class Moduli:
    """Of a polycrystal without texture, in the unit of the stiffness that they are made of.

    Attributes:
        bulk_voigt: Of equal strain.
        bulk_reuss: Of equal stress.
        bulk_hill: Their mean.
        shear_voigt: Of equal strain.
        shear_reuss: Of equal stress.
        shear_hill: Their mean.
        young_hill: From the means.
        poisson_hill: Likewise.
        anisotropy: 5 G_V/G_R + B_V/B_R - 6: zero of what is isotropic.
    """

    bulk_voigt: float
    bulk_reuss: float
    bulk_hill: float
    shear_voigt: float
    shear_reuss: float
    shear_hill: float
    young_hill: float
    poisson_hill: float
    anisotropy: float


def moduli(stiffness: FloatArray) -> Moduli:
    """The averages of a stiffness (6, 6) that has an inverse."""
    c, s = stiffness, np.linalg.inv(stiffness)
    bulk_voigt = c[:3, :3].sum() / 9
    bulk_reuss = 1 / s[:3, :3].sum()
    axial = np.trace(c[:3, :3]) - (c[0, 1] + c[0, 2] + c[1, 2])
    shear_voigt = (axial + 3 * np.trace(c[3:, 3:])) / 15
    soft = 4 * (np.trace(s[:3, :3]) - (s[0, 1] + s[0, 2] + s[1, 2]))
    shear_reuss = 15 / (soft + 3 * np.trace(s[3:, 3:]))
    bulk, shear = (bulk_voigt + bulk_reuss) / 2, (shear_voigt + shear_reuss) / 2
    return Moduli(
        *(float(value) for value in (bulk_voigt, bulk_reuss, bulk, shear_voigt, shear_reuss, shear)),
        young_hill=float(9 * bulk * shear / (3 * bulk + shear)),
        poisson_hill=float((3 * bulk - 2 * shear) / (2 * (3 * bulk + shear))),
        anisotropy=float(5 * shear_voigt / shear_reuss + bulk_voigt / bulk_reuss - 6),
    )


def to_tensor(matrix: FloatArray) -> FloatArray:
    """(6, 6) to (3, 3, 3, 3): C_ijkl."""
    tensor = np.empty((3, 3, 3, 3))
    for row, (i, j) in enumerate(VOIGT):
        for column, (k, l) in enumerate(VOIGT):
            for first, second in ((i, j), (j, i)):
                tensor[first, second, k, l] = tensor[first, second, l, k] = matrix[row, column]
    return tensor


def to_matrix(tensor: FloatArray) -> FloatArray:
    """(3, 3, 3, 3) to (6, 6)."""
    return np.array([[tensor[i, j, k, l] for k, l in VOIGT] for i, j in VOIGT])


def eigenvalues(stiffness: FloatArray) -> FloatArray:
    """(6,) ascending, of the stiffness as a map between symmetric tensors: all are positive where a crystal is stable.

    F. Mouhat and F.-X. Coudert, Phys. Rev. B 90, 224104 (2014), whose criteria for each crystal system this is.
    """
    weights = np.sqrt([1, 1, 1, 2, 2, 2])
    return np.asarray(np.linalg.eigvalsh(stiffness * np.outer(weights, weights)), dtype=np.float64)


def young_modulus(stiffness: FloatArray, directions: FloatArray) -> FloatArray:
    """(n,) along unit vectors (n, 3): the stress along a direction over the strain along it, all other stresses zero."""
    stress = uniaxial(directions)
    return 1 / np.einsum("na,ab,nb->n", stress, np.linalg.inv(stiffness), stress)


def uniaxial(directions: FloatArray) -> FloatArray:
    """(n, 6) a unit stress along each of the unit vectors (n, 3)."""
    return np.stack([directions[:, i] * directions[:, j] for i, j in VOIGT], axis=1)


def sound_speeds(stiffness: FloatArray, density: float, directions: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Speeds (n, 3), ascending, and polarisations (n, 3, 3), as columns, of plane waves along unit vectors (n, 3).

    ρ v² are the eigenvalues of Christoffel's matrix n·C·n; the speeds' unit squared is that of stiffness over density. Negative
    where imaginary: the crystal is unstable.
    """
    christoffel = np.einsum("ni,ijkl,nl->njk", directions, to_tensor(stiffness), directions)
    squares, polarisations = np.linalg.eigh(christoffel)
    return np.sign(squares) * np.sqrt(np.abs(squares) / density), polarisations

"""Two grains, mirror images of each other in a lattice plane: the symmetric tilt and twin boundaries.

Of a cubic crystal the reflection in (hkl) is, with the lattice's inversion, half a turn about its normal; Σ, the inverse share of lattice points
that both grains have in common, is the odd one of N = h² + k² + l² and N/2 (H. Grimmer, W. Bollmann and D. H. Warrington, Acta Cryst. A 30, 197
(1974)): 3 of (1 1 1) and (1 1 2), 5 of (2 1 0) and (3 1 0).
"""

from dataclasses import dataclass
from math import gcd
from typing import Self

import numpy as np
from ase import Atoms

from adiabat.errors import StructureError
from adiabat.properties.phonons.setup import primitive_cell
from adiabat.properties.surfaces.slabs import as_text, conventional_cell, cuts_of, layer_of, plane_cell
from adiabat.properties.symmetry import Symmetry
from adiabat.typing import FloatArray

Plane = tuple[int, int, int]


@dataclass(frozen=True)
class Bicrystal:
    """A cell with two boundaries, at its bottom and in its middle, which inversion of the grains makes alike.

    Attributes:
        plane: Miller indices in the conventional cell.
        sigma: Of a cubic crystal; None of another.
        atoms: Periodic; the first two vectors lie in the boundary, the third is its normal. The lower grain stands first.
        lower: Atoms of the lower grain.
    """

    plane: Plane
    sigma: int | None
    atoms: Atoms
    lower: int

    @classmethod
    def of(cls, crystal: Atoms, plane: Plane, *, thickness_angstrom: float, cut: int = 0) -> Self:
        """The mirror image of a grain on top of it.

        Args:
            crystal: At rest.
            plane: Where they meet.
            thickness_angstrom: Of each grain, at least.
            cut: Which of the ways to cut the crystal along the plane.

        Raises:
            StructureError: The plane is none, is a mirror plane of the crystal (both grains are one), or has no small cell; there is no such
                cut.
        """
        _require_plane(plane)
        primitive = primitive_cell(crystal)
        across = np.array(plane) @ np.linalg.inv(conventional_cell(crystal)).T
        normal = np.asarray(across / np.linalg.norm(across), dtype=np.float64)
        _require_two_grains(crystal, plane, normal)
        vectors = plane_cell(primitive.cell.array, normal, plane)
        height = float(vectors[2] @ normal)
        layer = layer_of(primitive, vectors)
        starts = cuts_of(layer, normal, height)
        if not 0 <= cut < len(starts):
            raise StructureError(
                f"cut {cut}", place=f"boundary {as_text(plane)}", rule=f"cuts are 0 to {len(starts) - 1}", mend="take 0"
            )
        layers = max(1, int(np.ceil(thickness_angstrom / height - 1e-9)))
        lower = _grain(layer, normal, layers, starts[cut])
        upper = lower.copy()
        upper.positions += 2 * (layers * height - lower.positions @ normal)[:, None] * normal
        both = lower + upper
        both.set_cell(np.array([vectors[0], vectors[1], 2 * layers * height * normal]))
        both.pbc = True
        _require_mirror(both, normal, plane)
        return cls(plane, coincidence(crystal, plane), both, len(lower))

    @property
    def area(self) -> float:
        """Å² of one boundary."""
        return area_of(self.atoms)

    def shifted(self, share: FloatArray, expansion_angstrom: float) -> Atoms:
        """With the upper grain moved along the boundary, by shares (2,) of its vectors, and both boundaries opened."""
        moved, cell = self.atoms.copy(), self.atoms.cell.array.copy()
        normal = cell[2] / np.linalg.norm(cell[2])
        moved.positions[self.lower :] += share @ cell[:2] + expansion_angstrom * normal
        cell[2] += 2 * expansion_angstrom * normal
        moved.set_cell(cell)
        return moved


def area_of(atoms: Atoms) -> float:
    """Å² between a cell's first two vectors."""
    return float(np.linalg.norm(np.cross(atoms.cell.array[0], atoms.cell.array[1])))


def coincidence(crystal: Atoms, plane: Plane) -> int | None:
    """Σ of the mirror twin in a plane of a cubic crystal; None of another."""
    cell = conventional_cell(crystal)
    lengths = np.linalg.norm(cell, axis=1)
    squares = cell @ cell.T
    if not np.allclose(squares, lengths[0] ** 2 * np.eye(3), atol=1e-3 * lengths[0] ** 2):
        return None
    number = sum(index * index for index in plane)
    while number % 2 == 0:
        number //= 2
    return number


def _grain(layer: Atoms, normal: FloatArray, layers: int, start: float) -> Atoms:
    """So many layers from the middle of a gap up, which becomes height zero."""
    vectors, grain = layer.cell.array, layer.copy()
    over = (grain.positions @ normal - start) // float(vectors[2] @ normal)
    grain.positions -= over[:, None] * vectors[2] + start * normal
    return grain.repeat((1, 1, layers))


def _require_plane(plane: Plane) -> None:
    if len(plane) != 3 or not any(plane) or gcd(*plane) != 1:
        raise StructureError(
            f"the plane {plane}",
            place="grain boundary",
            rule="a plane has three indices without a common divisor",
            mend="--plane 1,1,2 or --plane 2,1,0",
        )


def _require_two_grains(crystal: Atoms, plane: Plane, normal: FloatArray) -> None:
    reflection = np.eye(3) - 2 * np.outer(normal, normal)
    if np.abs(Symmetry.of(crystal).point_group - reflection).max((1, 2)).min() < 1e-4:
        raise StructureError(
            f"{as_text(plane)} is a mirror plane of the crystal",
            place="grain boundary",
            rule="the two grains are mirror images, and differ",
            mend="take another plane: (1 1 2) and (2 1 0) of bcc, (1 1 1) and (2 1 0) of fcc",
        )


def _require_mirror(both: Atoms, normal: FloatArray, plane: Plane) -> None:
    """The built cell has the mirror that its boundaries are made by."""
    reflection = np.eye(3) - 2 * np.outer(normal, normal)
    if np.abs(Symmetry.of(both).point_group - reflection).max((1, 2)).min() > 1e-4:
        raise StructureError(
            "its two grains are no mirror images",
            place=f"boundary {as_text(plane)}",
            rule="a symmetric boundary is a mirror",
            mend="give the crystal at rest, with its full symmetry",
        )

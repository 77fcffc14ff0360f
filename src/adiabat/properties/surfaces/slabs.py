"""Slabs of a crystal: in the smallest cell of each plane, whole formula units, and each way to cut them."""

from dataclasses import dataclass
from itertools import product
from math import gcd
from typing import Any

import numpy as np
from ase import Atoms

from adiabat.errors import StructureError
from adiabat.properties.phonons.primitive import primitive_cell
from adiabat.properties.symmetry import TOLERANCE_ANGSTROM, Symmetry
from adiabat.typing import FloatArray, IntArray

SEARCHED = 6
"""Primitive vectors either way among which those of a plane are looked for."""

PLANE_ANGSTROM = 0.05
"""Atoms nearer than this, along the normal, lie in one plane: no cut goes between them."""


@dataclass(frozen=True)
class Slab:
    """A slab between two vacuums.

    Attributes:
        miller: Of its faces, in the conventional cell.
        cut: Which of the ways to cut the crystal along this plane, from 0.
        atoms: Periodic along its first two vectors, which lie in the faces; the third is their normal.
        thickness: Å.
    """

    miller: tuple[int, int, int]
    cut: int
    atoms: Atoms
    thickness: float

    @property
    def area(self) -> float:
        """Å² of one face."""
        cell = self.atoms.cell.array
        return float(np.linalg.norm(np.cross(cell[0], cell[1])))


def conventional_cell(crystal: Atoms) -> FloatArray:
    """(3, 3) Å: the vectors that Miller indices refer to, as the crystal lies."""
    import spglib

    Symmetry.of(crystal)
    given: Any = (crystal.cell.array, crystal.get_scaled_positions(), crystal.numbers)
    found = spglib.standardize_cell(given, to_primitive=False, no_idealize=True, symprec=TOLERANCE_ANGSTROM)
    return crystal.cell.array if found is None else np.asarray(found[0], dtype=np.float64)


def distinct_planes(crystal: Atoms, highest: int) -> list[tuple[int, int, int]]:
    """Miller indices up to the highest, one of each family that the point group makes, those of small indices first.

    Raises:
        StructureError: The highest index is not positive.
    """
    if highest < 1:
        raise StructureError(
            f"planes up to the index {highest}", place="surfaces", rule="it is 1 or more", mend="take 1, 2 or 3"
        )
    cell = conventional_cell(crystal)
    turns = np.einsum("ba,gbc,dc->gad", np.linalg.inv(cell), Symmetry.of(crystal).point_group, cell)
    whole = np.round(turns).astype(np.int64)  # what the point group makes of Miller indices
    seen: set[tuple[int, ...]] = set()
    chosen = []
    for miller in sorted((m for m in product(range(-highest, highest + 1), repeat=3) if any(m)), key=_order):
        if gcd(*miller) == 1 and miller not in seen:
            made = np.array(miller) @ whole
            seen |= {tuple(one) for one in np.concatenate([made, -made]).tolist()}
            chosen.append((miller[0], miller[1], miller[2]))
    return chosen


def _order(miller: tuple[int, ...]) -> tuple[int, int, list[int]]:
    """Small indices first, and among them positive ones."""
    return sum(x * x for x in miller), sum(x < 0 for x in miller), [-x for x in miller]


def slabs_of(
    crystal: Atoms, miller: tuple[int, int, int], *, thickness_angstrom: float, vacuum_angstrom: float
) -> list[Slab]:
    """A slab for each distinct way to cut a crystal along a plane.

    Args:
        crystal: At rest.
        miller: Of the plane, in the conventional cell.
        thickness_angstrom: At least.
        vacuum_angstrom: Between a slab and its image.

    Raises:
        StructureError: It is not a crystal, or the plane has no cell that is small enough.
    """
    primitive = primitive_cell(crystal)
    across = np.array(miller) @ np.linalg.inv(conventional_cell(crystal)).T
    normal = np.asarray(across / np.linalg.norm(across), dtype=np.float64)
    vectors = plane_cell(primitive.cell.array, normal, miller)
    height = float(vectors[2] @ normal)
    layers = max(1, int(np.ceil(thickness_angstrom / height - 1e-9)))
    layer = layer_of(primitive, vectors)
    starts = cuts_of(layer, normal, height)
    return [
        Slab(miller, cut, _slab(layer, normal, layers, start, vacuum_angstrom), layers * height)
        for cut, start in enumerate(starts)
    ]


def plane_cell(cell: FloatArray, normal: FloatArray, miller: tuple[int, int, int]) -> FloatArray:
    """(3, 3): two short lattice vectors in the plane, and one to the next plane."""
    grid = np.array(list(product(range(-SEARCHED, SEARCHED + 1), repeat=3)))
    points = grid @ cell
    height, length = points @ normal, np.linalg.norm(points, axis=1)
    order = np.argsort(length, kind="stable")
    inside = [place for place in order if abs(height[place]) < 1e-6 and length[place] > 1e-6]
    volume = abs(float(np.linalg.det(cell)))
    for first, second in ((0, other) for other in range(1, len(inside))):
        a, b = points[inside[first]], points[inside[second]]
        if np.linalg.norm(np.cross(a, b)) < 1e-6:
            continue
        a, b = (a, b) if np.cross(a, b) @ normal > 0 else (b, a)
        between = volume / float(np.linalg.norm(np.cross(a, b)))
        up = [place for place in order if abs(height[place] - between) < 1e-6 * max(1.0, between)]
        if up:
            return np.array([a, b, points[up[0]]])
    raise StructureError(
        "no small cell is found in this plane",
        place=f"surface {miller}",
        rule="its vectors are sums of a few of the primitive cell's",
        mend="take a plane with smaller indices",
    )


def layer_of(primitive: Atoms, vectors: FloatArray) -> Atoms:
    """The primitive cell's atoms in another cell of the same volume."""
    layer = Atoms(primitive.numbers, positions=primitive.positions, cell=vectors, pbc=True)
    layer.arrays["masses"] = primitive.get_masses()
    layer.wrap(eps=1e-6)
    return layer


def cuts_of(layer: Atoms, normal: FloatArray, height: float) -> list[float]:
    """Heights (Å) of the middles of the gaps between atomic planes, of those that differ in what lies above them."""
    heights = np.sort((layer.positions @ normal) % height)
    planes = [heights[0]]
    for one in heights[1:]:
        if one - planes[-1] > PLANE_ANGSTROM:
            planes.append(one)
    if len(planes) > 1 and planes[0] + height - planes[-1] < PLANE_ANGSTROM:  # one plane on either side of zero
        planes.pop()
    gaps = np.diff([*planes, planes[0] + height])
    # The cuts of the largest gaps break the fewest bonds; a gap of equal width cuts an equivalent plane or its mirror image.
    _, first = np.unique(np.round(gaps, 2), return_index=True)
    widest = sorted(first.tolist(), key=lambda place: -gaps[place])
    return [float(planes[place] + gaps[place] / 2) for place in widest]


def _slab(layer: Atoms, normal: FloatArray, layers: int, start: float, vacuum: float) -> Atoms:
    """So many layers, cut at a height (Å) in the middle of a gap."""
    vectors, atoms = layer.cell.array, layer.copy()
    over = (atoms.positions @ normal - start) // float(vectors[2] @ normal)
    atoms.positions -= over[:, None] * vectors[2]
    atoms = atoms.repeat((1, 1, layers))
    heights = atoms.positions @ normal
    atoms.set_cell(np.array([vectors[0], vectors[1], (float(np.ptp(heights)) + vacuum) * normal]))
    atoms.positions += (0.5 * vacuum - heights.min()) * normal
    atoms.wrap(pbc=(True, True, False))
    return atoms


def as_text(miller: tuple[int, int, int] | IntArray) -> str:
    """``(1 -1 0)``."""
    return f"({' '.join(str(int(one)) for one in miller)})"

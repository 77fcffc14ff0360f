"""The equilibrium shape of a crystal: what surfaces of known energies enclose.

G. Wulff, Z. Kristallogr. 34, 449 (1901).
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import ConvexHull, HalfspaceIntersection

from adiabat.typing import FloatArray

FLAT = 1e-6
"""Of the shape's size: vertices nearer to a plane lie in it."""


@dataclass(frozen=True)
class Wulff:
    """A polyhedron whose facets lie as far from the middle as their energies are high.

    Attributes:
        area_shares: (n,) of each plane and its equivalents.
        mean_energy: Over the area, in the unit of the energies.
        anisotropy: Standard deviation of the energy over the area, relative to the mean.
        vertices: (v, 3).
    """

    area_shares: FloatArray
    mean_energy: float
    anisotropy: float
    vertices: FloatArray


def wulff(normals: FloatArray, energies: FloatArray, turns: FloatArray) -> Wulff:
    """The shape from surfaces and a point group.

    Args:
        normals: (n, 3) of planes; each stands for all that the point group makes of it, and their opposites.
        energies: (n,) all positive.
        turns: (P, 3, 3) acting on rows from the right.
    """
    unit = normals / np.linalg.norm(normals, axis=1, keepdims=True)
    planes = np.concatenate([np.concatenate([one @ turns, -one @ turns]) for one in unit])
    owner = np.repeat(np.arange(len(unit)), 2 * len(turns))
    kept = np.sort(np.unique(np.round(planes, 6) + 0.0, axis=0, return_index=True)[1])
    planes, owner = planes[kept], owner[kept]
    vertices = HalfspaceIntersection(np.column_stack([planes, -energies[owner]]), np.zeros(3)).intersections
    vertices = vertices[np.isfinite(vertices).all(1)]
    areas = np.zeros(len(energies))
    for plane, number in zip(planes, owner, strict=True):
        areas[number] += _facet_area(vertices, plane, float(energies[number]))
    shares = areas / areas.sum()
    mean = float(shares @ energies)
    return Wulff(shares, mean, float(np.sqrt(shares @ (energies - mean) ** 2)) / mean, vertices)


def _facet_area(vertices: FloatArray, plane: FloatArray, distance: float) -> float:
    on = vertices[np.abs(vertices @ plane - distance) < FLAT * max(distance, 1.0)]
    if len(on) < 3:
        return 0.0
    first = np.cross(plane, [1.0, 0, 0] if abs(plane[0]) < 0.9 else [0, 1.0, 0])
    first /= np.linalg.norm(first)
    flat = np.column_stack([on @ first, on @ np.cross(plane, first)])
    flat = np.unique(np.round(flat / max(distance, 1.0), 9), axis=0) * max(distance, 1.0)
    if len(flat) < 3 or np.linalg.matrix_rank(flat - flat.mean(0), tol=1e-6) < 2:
        return 0.0
    return float(ConvexHull(flat).volume)

"""Bands of images between two ends, relaxed all at once.

G. Henkelman and H. Jónsson, J. Chem. Phys. 113, 9978 (2000), with their tangent; G. Henkelman et al., J. Chem. Phys. 113, 9901 (2000),
with the climbing image.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from adiabat.properties.relaxation.coordinates import Coordinates, Slope
from adiabat.properties.relaxation.fire import FIRE
from adiabat.system import Batch

Surface = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Energies (M,) eV and forces (M, N, 3) eV/Å of images (M, N, 3)."""


@dataclass(frozen=True)
class Band:
    """Images on their way.

    Attributes:
        images: (M, N, 3) Å, both ends among them.
        energies: (M,) eV.
        left: (M - 2, N, 3) eV/Å, what the band leaves of the forces on images between the ends.
        largest_force: eV/Å, of it, on an atom.
        climbing: The image that climbs; None where none does.
        steps: Made so far.
    """

    images: Tensor
    energies: Tensor
    left: Tensor
    largest_force: float
    climbing: int | None
    steps: int


@dataclass(frozen=True)
class BandSettings:
    """How a band is relaxed.

    Attributes:
        spring: eV/Å², between images.
        tolerance: eV/Å, of the largest force on an atom of an image.
        steps: At most.
        climb: Let the highest image go up along the band.
    """

    spring: float = 5.0
    tolerance: float = 0.02
    steps: int = 1000
    climb: bool = False


def relax_band(surface: Surface, images: Tensor, at_ends: Tensor, moves: Tensor, how: BandSettings) -> Band:
    """Relax the images between the ends.

    Args:
        surface: What they lie on.
        images: (M, N, 3) Å, three or more; the first and the last stay.
        at_ends: (2,) eV of the first and the last.
        moves: (N,) bool: atoms that are not held.
        how: Springs, and when it is enough.
    """
    space = _space(images)
    band, way = _evaluated(surface, images, at_ends, moves, how, 0), None
    while band.largest_force > how.tolerance and band.steps < how.steps:
        zero, rows = at_ends.new_zeros(1), band.images[1:-1].reshape(-1, 3)
        slope = Slope(zero, zero, -band.left.reshape(-1, 3), zero, zero)
        way = FIRE.begin(space, rows, slope) if way is None else way.seen(space, rows, slope)
        way, rows = way.step(space)
        moved = torch.cat([images[:1], rows.reshape(-1, *images.shape[1:]), images[-1:]])
        band = _evaluated(surface, moved, at_ends, moves, how, band.steps + 1)
    return band


def _evaluated(surface: Surface, images: Tensor, at_ends: Tensor, moves: Tensor, how: BandSettings, steps: int) -> Band:
    inner, forces = surface(images[1:-1])
    energies = torch.cat([at_ends[:1], inner, at_ends[1:]])
    highest = int(energies.argmax()) if how.climb else 0
    climbing = highest if 0 < highest < len(images) - 1 else None
    left = nudged(images, energies, forces, spring=how.spring, climbing=climbing) * moves[:, None]
    return Band(images, energies, left, float(torch.linalg.vector_norm(left, dim=-1).max()), climbing, steps)


def nudged(images: Tensor, energies: Tensor, forces: Tensor, *, spring: float, climbing: int | None) -> Tensor:
    """(M - 2, N, 3) forces of a band: those of the surface across it, springs along it; reversed along it for the climbing image.

    Args:
        images: (M, N, 3) Å.
        energies: (M,) eV.
        forces: (M - 2, N, 3) eV/Å, of images between the ends.
        spring: eV/Å².
        climbing: The image that climbs.
    """
    ahead, behind = images[2:] - images[1:-1], images[1:-1] - images[:-2]
    tangent = _tangents(ahead, behind, energies)
    along = (forces * tangent).sum((1, 2), keepdim=True)
    stretch = torch.linalg.vector_norm(ahead, dim=(1, 2)) - torch.linalg.vector_norm(behind, dim=(1, 2))
    found = forces - along * tangent + spring * stretch[:, None, None] * tangent
    if climbing is not None:
        place = climbing - 1
        found[place] = forces[place] - 2 * along[place] * tangent[place]
    return found


def _tangents(ahead: Tensor, behind: Tensor, energies: Tensor) -> Tensor:
    """(M - 2, N, 3) of unit length: towards the higher neighbour; at extrema a mean, so that they do not jump."""
    rise, fall = energies[2:] - energies[1:-1], energies[1:-1] - energies[:-2]
    more, less = torch.maximum(rise.abs(), fall.abs()), torch.minimum(rise.abs(), fall.abs())
    to_higher = energies[2:] > energies[:-2]
    weight_ahead = torch.where(to_higher, more, less)
    weight_behind = torch.where(to_higher, less, more)
    up, down = (rise > 0) & (fall > 0), (rise < 0) & (fall < 0)
    weight_ahead = torch.where(up, 1.0, torch.where(down, 0.0, weight_ahead))
    weight_behind = torch.where(up, 0.0, torch.where(down, 1.0, weight_behind))
    flat = (weight_ahead + weight_behind) == 0
    weight_ahead, weight_behind = torch.where(flat, 1.0, weight_ahead), torch.where(flat, 1.0, weight_behind)
    tangent = weight_ahead[:, None, None] * ahead + weight_behind[:, None, None] * behind
    return tangent / torch.linalg.vector_norm(tangent, dim=(1, 2), keepdim=True)


def _space(images: Tensor) -> Coordinates:
    """The images between the ends as the rows of one structure, so that they share a time step."""
    n_atoms = (images.shape[0] - 2) * images.shape[1]
    batch = Batch(
        positions=images[1:-1].reshape(-1, 3),
        cell=images.new_zeros(1, 3, 3),
        pbc=torch.zeros(1, 3, dtype=torch.bool),
        numbers=torch.ones(n_atoms, dtype=torch.int64),
        system=torch.zeros(n_atoms, dtype=torch.int64),
    )
    return Coordinates.of(batch, cell="fixed", moves=torch.ones(n_atoms, dtype=torch.bool), pressure=0.0)

"""First guesses of a path: straight lines, and lines bent so that atoms keep apart.

Image-dependent pair potential: S. Smidstrup et al., J. Chem. Phys. 140, 214106 (2014).
"""

import numpy as np
import torch
from torch import Tensor

from adiabat.properties.paths.band import BandSettings, Surface, relax_band
from adiabat.properties.paths.ends import Ends

SPRING, TOLERANCE, STEPS = 1.0, 0.02, 300
"""Of the band in the image-dependent pair potential; its energies have no unit of energy."""


def straight(ends: Ends, images: int) -> Tensor:
    """(M, N, 3) Å: `images` between the ends, equally spaced."""
    first, last = (torch.from_numpy(atoms.positions) for atoms in (ends.first, ends.last))
    share = torch.linspace(0, 1, images + 2, dtype=torch.float64)[:, None, None]
    return first + share * (last - first)


def bent(ends: Ends, images: int) -> Tensor:
    """(M, N, 3) Å: the straight line, relaxed so that distances between atoms change as evenly as they can."""
    line = straight(ends, images)
    surface = pair_distances(ends, line)
    moves = torch.from_numpy(ends.moves)
    how = BandSettings(spring=SPRING, tolerance=TOLERANCE, steps=STEPS)
    return relax_band(surface, line, torch.zeros(2, dtype=torch.float64), moves, how).images


def pair_distances(ends: Ends, line: Tensor) -> Surface:
    """The image-dependent pair potential between the ends of a line, (M, N, 3); at the ends it is zero."""
    first, second = torch.triu_indices(line.shape[1], line.shape[1], offset=1)
    cell = torch.from_numpy(np.where(ends.first.pbc[:, None], ends.first.cell.array, np.eye(3)))
    periodic = torch.from_numpy(ends.first.pbc.astype(np.float64))
    inverse = torch.linalg.inv(cell)

    def distances(images: Tensor) -> Tensor:
        vectors = images[:, second] - images[:, first]
        whole = torch.round(vectors.detach() @ inverse) * periodic
        return torch.linalg.vector_norm(vectors - whole @ cell, dim=-1)

    share = torch.linspace(0, 1, len(line), dtype=torch.float64)[:, None]
    at_ends = distances(line[[0, -1]])
    targets = at_ends[0] + share * (at_ends[1] - at_ends[0])

    def surface(images: Tensor) -> tuple[Tensor, Tensor]:
        variable = images.detach().clone().requires_grad_()
        found = distances(variable)
        energies = ((targets[1:-1] - found) ** 2 / found**4).sum(-1)
        [gradient] = torch.autograd.grad(energies.sum(), [variable])
        return energies.detach(), -gradient

    return surface

"""Bands between start structures: what a potential must know to give the barriers between them."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from ase import Atoms

from adiabat.potential import Potential
from adiabat.properties.arrays import evaluated
from adiabat.properties.paths.band import BandSettings, relax_band
from adiabat.properties.paths.ends import Ends, nearest_images
from adiabat.properties.paths.guess import bent
from adiabat.properties.paths.neb import energy_surface

IMAGES = 7
STEPS = 60
"""Of a band that is on its way to the potential's path: what it crosses is what is asked about, and an early potential's path
may lead anywhere."""


def alike(first: Atoms, last: Atoms) -> bool:
    """Whether two structures can be ends of a path: the same atoms in the same order, in the same cell."""
    same_atoms = np.array_equal(first.numbers, last.numbers) and np.array_equal(first.pbc, last.pbc)
    return same_atoms and np.allclose(first.cell.array, last.cell.array)


def band_images(starts: Sequence[Atoms], potential: Potential) -> list[Atoms]:
    """Images of a band between each start structure and the next, where the two are alike.

    Args:
        starts: The start structures.
        potential: By which the bands are relaxed.
    """
    found: list[Atoms] = []
    for first, last in pairwise(starts):
        if not alike(first, last):
            continue
        moved = last.copy()
        moved.positions = first.positions + nearest_images(last.positions - first.positions, first)
        ends = Ends(first, moved, np.ones(len(first), dtype=bool))
        at_ends = torch.from_numpy(evaluated(potential, [first, moved], "energy")[0])
        surface, moves = energy_surface(first, potential), torch.from_numpy(ends.moves)
        band = relax_band(surface, bent(ends, IMAGES), at_ends, moves, BandSettings(steps=STEPS))
        found += [
            Atoms(first.numbers, positions=image.numpy(), cell=first.cell, pbc=first.pbc) for image in band.images[1:-1]
        ]
    return found

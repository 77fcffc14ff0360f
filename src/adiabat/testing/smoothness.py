"""Continuity: an atom is moved through a radius in small steps, and nothing may jump.

Where a quantity is continuous, what it changes by from step to step is as large on the radius as beside it. So the changes
on the radius are compared with those beside it: a jump stands out however small the step is.
"""

from collections.abc import Iterable, Sequence
from itertools import combinations_with_replacement
from typing import cast

import numpy as np
import torch
from ase import Atoms
from torch import Tensor

from adiabat.potential import Potential
from adiabat.potential.scales import force_scales
from adiabat.system import Batch
from adiabat.testing.violation import ContractViolation

STEP = 1e-4
"""Å."""

HALF_WINDOW = 25
"""Steps on either side of the radius."""

ON_THE_RADIUS = 3
"""Steps from the radius that count as on it; a second difference spans two."""

JUMP = 2.0
"""A change on the radius above this many times the largest beside it is a jump."""

ROUNDING = 1e-13
"""Of energies and forces, on their scales."""


def check_smooth(potential: Potential, radii: Iterable[float], *, length: float) -> None:
    """Energy, forces and their derivatives along the path are continuous through each radius, for each pair of species.

    Args:
        potential: What is checked.
        radii: Å.
        length: Å, how far the other atoms stand from the one that is approached.

    Raises:
        ContractViolation: Naming the pair, the radius and the quantity.
    """
    for radius in radii:
        for pair in combinations_with_replacement(potential.species, 2):
            _check_pair(potential, pair, radius, length)


def approach(pair: tuple[int, int], species: Sequence[int], distance: float, *, length: float) -> Atoms:
    """The second atom at `distance` from the first; each has neighbours on its far side, which move with it."""
    behind = length * np.array([[-0.45, 0.85, 0.2], [-0.35, -0.7, 0.55], [-0.6, 0.1, -0.8]])
    beyond = length * np.array([[0.5, 0.3, 0.8], [0.7, -0.2, -0.65]]) + np.array([distance, 0, 0])
    others = np.resize(species, len(behind) + len(beyond))
    return Atoms([*pair, *others], positions=[[0, 0, 0], [distance, 0, 0], *behind, *beyond])


def _check_pair(potential: Potential, pair: tuple[int, int], radius: float, length: float) -> None:
    distances = radius + STEP * (np.arange(2 * HALF_WINDOW) - HALF_WINDOW + 0.5)
    path = [approach(pair, potential.species, float(distance), length=length) for distance in distances]
    found = potential(path, want=("energies", "forces"))
    energies = cast(Tensor, found.energies).reshape(len(path), -1)
    forces = cast(Tensor, found.forces)
    force_noise = ROUNDING * float(force_scales(forces, Batch.from_atoms(path)).max())
    forces = forces.reshape(len(path), -1)
    energy_noise = ROUNDING * float(energies.abs().sum(-1).max())
    curvatures = forces.diff(dim=0) / STEP
    for name, values, noise in (
        ("energies", energies, energy_noise),
        ("forces", forces, force_noise),
        ("second derivatives", curvatures, 2 * force_noise / STEP),
    ):
        on, beside = _changes(values)
        if not on <= JUMP * beside + 4 * noise:
            raise ContractViolation(
                f"atoms of the numbers {pair[0]} and {pair[1]} at {radius} Å: {name}",
                value=f"a step of {STEP} Å changes them by {on:.2e} there, and by {beside:.2e} beside it",
                rule="energies, forces and second derivatives are continuous through every radius",
            )


def _changes(values: Tensor) -> tuple[float, float]:
    """The largest change from step to step on the radius, and beside it."""
    changes = values.diff(dim=0).abs().amax(1)
    middle = (len(changes) - 1) / 2
    on = (torch.arange(len(changes)) - middle).abs() <= ON_THE_RADIUS
    return float(changes[on].max()), float(changes[~on].max())

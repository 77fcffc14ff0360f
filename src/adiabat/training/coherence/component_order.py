"""Shear stresses that stand in another order than the one they are read in."""

from dataclasses import dataclass
from itertools import permutations

import numpy as np

from adiabat.typing import FloatArray

SHEARS = ("yz", "xz", "xy")
LEAST_STRUCTURES = 5
TOGETHER, BETTER = 0.9, 5.0
"""Correlation with what forces say in another order, and factor by which less is left unexplained than in the order as read,
from which on that is wrong. Of published structures, strained or hot, right ones have 0.94 to 1.00 as read; exchanged ones had
0.0 to 0.8, and 0.96 to 0.99 in the right order."""


@dataclass(frozen=True)
class ShearOrder:
    """How shear stresses go with what forces say of them.

    Attributes:
        components: What the components that are read as yz, xz, xy are likeliest to be.
        as_read: Correlation of the components as they are read.
        reordered: Correlation of the likeliest ones.
    """

    components: tuple[str, str, str]
    as_read: float
    reordered: float

    @property
    def is_wrong(self) -> bool:
        """Whether they surely stand in another order."""
        return self.reordered > TOGETHER and 1 - self.as_read**2 > BETTER * (1 - self.reordered**2)

    def mended(self, labels: FloatArray) -> FloatArray:
        """(6,) a stress in Voigt's order, of one (6,) whose last three stand as they were read."""
        found = labels.copy()
        found[[3 + SHEARS.index(component) for component in self.components]] = labels[3:]
        return found


def shear_order(labels: FloatArray, predictions: FloatArray) -> ShearOrder | None:
    """The order of components in which labels go best with predictions, of whatever sign and unit.

    Args:
        labels: (n, 3) yz, xz, xy as read.
        predictions: (n, 3) yz, xz, xy.

    Returns:
        None where there are too few, or none that is not zero.
    """
    size = float(np.linalg.norm(labels) * np.linalg.norm(predictions))
    if len(labels) < LEAST_STRUCTURES or size == 0:
        return None
    overlap = labels.T @ predictions / size  # (as read, as predicted)
    found = {order: abs(float(sum(overlap[k, order[k]] for k in range(3)))) for order in permutations(range(3))}
    best = max(found, key=lambda order: found[order])
    first, second, third = (SHEARS[k] for k in best)
    return ShearOrder((first, second, third), found[0, 1, 2], found[best])

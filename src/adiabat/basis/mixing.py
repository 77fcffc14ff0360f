"""Channels of the density: which weighted sums over the neighbours' species are expanded.

One channel per species is exact and grows with a power of the number of species. Products of many factors use few
channels instead, fixed combinations of the species by their chemistry, so that the model stays linear and each product
can be written out element by element.
"""

import numpy as np
from ase.data import covalent_radii

from adiabat.typing import FloatArray

# First atomic number of each period of the periodic table.
PERIOD_STARTS = (1, 3, 11, 19, 37, 55, 87)


def chemical_channels(species: tuple[int, ...], count: int) -> FloatArray:
    """(count, species) orthonormal weights: first the plain sum, then what separates the species most.

    The species are described by period, place in the period, and covalent radius, each standardised; the principal
    directions of that table, orthogonal to the plain sum, are the further channels.

    Args:
        species: Atomic numbers, ascending.
        count: Channels, at most the number of species.
    """
    table = np.array([_chemistry(number) for number in species])
    spread = table.std(axis=0)
    centred = (table - table.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    directions = np.linalg.svd(centred, full_matrices=True)[0].T
    plain = np.full((1, len(species)), len(species) ** -0.5)
    channels = [plain[0]]
    for direction in [*directions, *np.eye(len(species))]:
        rest = direction - sum((direction @ channel) * channel for channel in channels)
        if np.linalg.norm(rest) > 1e-6 and len(channels) < count:
            rest = rest / np.linalg.norm(rest)
            channels.append(rest * np.sign(rest[np.argmax(np.abs(rest))]))
    return np.array(channels) * len(species) ** 0.5


def _chemistry(number: int) -> tuple[float, float, float]:
    period = sum(number >= start for start in PERIOD_STARTS)
    start = PERIOD_STARTS[period - 1]
    stop = PERIOD_STARTS[period] if period < len(PERIOD_STARTS) else 119
    return float(period), (number - start) / (stop - start), float(covalent_radii[number])

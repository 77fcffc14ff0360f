"""How near two atoms may come before nothing is known of them any more."""

from collections.abc import Mapping

import numpy as np
from ase.data import covalent_radii
from ase.data.vdw_alvarez import vdw_radii

TOUCHING = 0.8
"""Of the sum of van der Waals radii: two atoms that rest, bonded or not, are about as near as this or nearer."""


def contact_distance(pair: tuple[int, int], shortest: Mapping[tuple[int, int], float]) -> float:
    """Å: the shortest distance of a pair of species in the data, as far as they touch there.

    A lone atom of a species and its image across the cell are a pair too, and their distance says nothing; one that is
    beyond where atoms touch counts as that. The van der Waals radii are those of S. Alvarez, Dalton Trans. 42, 8617 (2013).

    Args:
        pair: Atomic numbers.
        shortest: Å, by pair of species, of those that the data hold; the others get the sum of their covalent radii.
    """
    if pair not in shortest:
        return float(covalent_radii[pair[0]] + covalent_radii[pair[1]])
    touching = TOUCHING * float(vdw_radii[pair[0]] + vdw_radii[pair[1]])
    return min(shortest[pair], touching) if np.isfinite(touching) else shortest[pair]

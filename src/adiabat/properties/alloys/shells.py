"""Shells of neighbours on the sites of a crystal, and Warren and Cowley's order of an alloy on them.

J. M. Cowley, Phys. Rev. 77, 669 (1950): α = 1 - p(j | i) / c(j), the chance that a neighbour of i is j, over that in a random alloy. Zero is
random, negative likes unlike neighbours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from ase import Atoms

from adiabat.errors import StructureError
from adiabat.neighbors import neighbor_graph
from adiabat.system import Batch
from adiabat.typing import FloatArray, IntArray

SAME_ANGSTROM = 0.05
"""Distances nearer than this are one shell."""


@dataclass(frozen=True)
class Shells:
    """Pairs of sites by distance.

    Attributes:
        distances: (m,) Å.
        pairs: For each shell (n, 2) site and neighbour; each pair in both directions.
    """

    distances: FloatArray
    pairs: tuple[IntArray, ...]

    @classmethod
    def of(cls, sites: Atoms, count: int) -> Self:
        """The nearest shells of atoms on the sites of a crystal, where all distances of a shell are one.

        Raises:
            StructureError: They are not periodic, or have fewer than two atoms.
        """
        if not sites.pbc.all() or len(sites) < 2:
            raise StructureError(
                f"{len(sites)} atoms, periodic along {sites.pbc.tolist()}",
                place=f"shells of {sites.get_chemical_formula()}",
                rule="an alloy cell is a crystal of two sites or more",
                mend="give a supercell, periodic in three directions",
            )
        reach = (sites.get_volume() / len(sites)) ** (1 / 3)
        while True:
            reach *= 1.3
            graph = neighbor_graph(Batch.from_atoms(sites), reach)
            lengths = np.linalg.norm(graph.vectors().numpy(), axis=1)
            order = np.argsort(lengths, kind="stable")
            starts = np.flatnonzero(np.diff(lengths[order], prepend=-1.0) > SAME_ANGSTROM)
            if len(starts) > count:  # the last may reach beyond what was looked at
                break
        pairs = np.stack([graph.center.numpy(), graph.neighbor.numpy()], axis=1)
        parts = np.split(order, starts[1:])[:count]
        return cls(np.array([lengths[part].mean() for part in parts]), tuple(pairs[part] for part in parts))


def short_range_order(numbers: IntArray, shells: Shells, elements: Sequence[int]) -> FloatArray:
    """(m, k, k) Warren and Cowley's parameters of one arrangement.

    Args:
        numbers: (N,) atomic numbers on the sites.
        shells: Of the sites.
        elements: k atomic numbers; an element that is not there has no order, and zeros.
    """
    here = numbers[:, None] == np.asarray(elements)
    shares = here.mean(0)
    found = []
    for pairs in shells.pairs:
        both = here[pairs[:, 0]].T.astype(np.float64) @ here[pairs[:, 1]].astype(np.float64) / len(pairs)
        random = np.outer(shares, shares)
        found.append(1 - np.divide(both, random, out=np.ones_like(both), where=random > 0))
    return np.stack(found)

"""Spherical tensors with parity: what couples to what, and with which numbers.

A tensor of degree l and parity p turns under a rotation as the harmonics of degree l do, and is multiplied by p under inversion.
It is *true* (of natural parity) if p = (-1)^l, as scalars, vectors and products of coordinates are, and a pseudotensor otherwise.
"""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from adiabat.basis.coupling import NEGLIGIBLE, real_clebsch_gordan
from adiabat.typing import FloatArray


@dataclass(frozen=True, order=True)
class Kind:
    """How a spherical tensor behaves.

    Attributes:
        degree: l; it has 2l+1 components.
        parity: 1 or -1: what inversion multiplies it by.
    """

    degree: int
    parity: int

    @classmethod
    def true(cls, degree: int) -> "Kind":
        """Of natural parity: as the harmonics of a direction."""
        return cls(degree, (-1) ** degree)

    @property
    def is_true(self) -> bool:
        """Whether its parity is that of harmonics."""
        return self.parity == (-1) ** self.degree

    def __str__(self) -> str:
        return f"{self.degree}{'e' if self.parity == 1 else 'o'}"

    def times(self, other: "Kind") -> tuple["Kind", ...]:
        """What their products hold, each kind once."""
        low, high = abs(self.degree - other.degree), self.degree + other.degree
        return tuple(Kind(degree, self.parity * other.parity) for degree in range(low, high + 1))


def places(degree: int) -> range:
    """Where the components of a degree stand among those of all degrees."""
    return range(degree**2, (degree + 1) ** 2)


@cache
def coupling(l1: int, l2: int, l3: int) -> FloatArray:
    """Of two tensors to a third, so scaled that independent components of variance 1 give components of variance 1.

    Returns:
        (2 l1+1, 2 l2+1, 2 l3+1).
    """
    table = real_clebsch_gordan(l1, l2, l3)
    return table * math.sqrt((2 * l3 + 1) / np.square(table).sum())


@dataclass(frozen=True)
class PairProducts:
    """Products of two components of the same tensor, and how they add up to tensors.

    Attributes:
        first: Component of the first factor of each product.
        second: Of the second.
        table: (rows, products).
        degrees: l of each tensor, in the order of its rows.
    """

    first: tuple[int, ...]
    second: tuple[int, ...]
    table: FloatArray
    degrees: tuple[int, ...]


def pair_products(triples: list[tuple[int, int, int]]) -> PairProducts:
    """The couplings (l1, l2) to l3 of a density with itself; products that several of them need are there once."""
    terms: list[dict[tuple[int, int], float]] = []
    for l1, l2, l3 in triples:
        table = coupling(l1, l2, l3)
        rows: list[dict[tuple[int, int], float]] = [{} for _ in range(2 * l3 + 1)]
        for m1, m2, m3 in zip(*np.nonzero(np.abs(table) > NEGLIGIBLE), strict=True):
            a, b = sorted((l1**2 + int(m1), l2**2 + int(m2)))
            rows[m3][a, b] = rows[m3].get((a, b), 0.0) + float(table[m1, m2, m3])
        terms += rows
    products = sorted({pair for row in terms for pair in row})
    table = np.array([[row.get(pair, 0.0) for pair in products] for row in terms])
    first, second = zip(*products, strict=True)
    return PairProducts(first, second, table, tuple(l3 for _, _, l3 in triples))

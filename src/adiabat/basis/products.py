"""The invariant products of the atomic density: which there are, and how they are coupled."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import groupby

import numpy as np

from adiabat.basis.coupling import independent_couplings
from adiabat.typing import FloatArray, IntArray

Factor = tuple[int, int, int]
"""(channel, radial index n from 0, degree l)."""


@dataclass(frozen=True)
class TotalDegree:
    """Which products are in a basis: those whose weighted degree Σ (radial_weight·n + angular_weight·l) is small enough.

    Attributes:
        limits: The largest degree for products of one, two, three ... factors.
        radial_weight: Of one more node in the radial function.
        angular_weight: Of one more in l.
        l_limits: The largest l for products of one, two, three ... factors.
    """

    limits: tuple[float, ...]
    l_limits: tuple[int, ...]
    radial_weight: float = 1.0
    angular_weight: float = 1.0

    def of(self, factors: tuple[Factor, ...]) -> float:
        """The degree of a product."""
        return sum(self.radial_weight * n + self.angular_weight * degree for _, n, degree in factors)

    @property
    def n_max(self) -> int:
        """Radial functions needed."""
        return 1 + int(max(self.limits) / self.radial_weight)

    @property
    def l_max(self) -> int:
        """Highest l needed."""
        return max(self.l_limits)


@dataclass(frozen=True, eq=False)
class Products:
    """All products of one number of factors, and the functions that they couple to.

    Attributes:
        index: (T, factors) into the flattened density of an atom.
        function: (Z,) which function an entry of the coupling belongs to.
        product: (Z,) which product.
        value: (Z,) the coupling.
    """

    index: IntArray
    function: IntArray
    product: IntArray
    value: FloatArray


@dataclass(frozen=True)
class Function:
    """One invariant function: its factors and which of their independent couplings it is."""

    factors: tuple[Factor, ...]
    coupling: int


def density_index(factor: Factor, m_plus_l: int, *, n_max: int, l_max: int) -> int:
    """Place of (channel, n, l, m) in the flattened density of an atom."""
    channel, n, degree = factor
    return (channel * n_max + n) * (l_max + 1) ** 2 + degree**2 + m_plus_l


def invariant_functions(degree: TotalDegree, channels: tuple[tuple[int, ...], ...]) -> list[Function]:
    """All independent invariant functions of a basis, by number of factors, then degree.

    Args:
        degree: The selection.
        channels: For products of one, two, three ... factors, the channels of the density that they may use.
    """
    found = []
    for order, allowed in enumerate(channels[: len(degree.limits)], start=1):
        tuples = sorted(_factor_tuples(degree, order, allowed), key=lambda factors: (degree.of(factors), factors))
        for factors in tuples:
            couplings = independent_couplings(tuple(f[2] for f in factors), _identical(factors))[1]
            found += [Function(factors, path) for path in range(len(couplings))]
    return found


def coupled_products(functions: list[Function], order: int, *, n_max: int, l_max: int) -> Products:
    """The product table of the functions with `order` factors."""
    rows: dict[tuple[int, ...], int] = {}
    entries: list[tuple[int, int, float]] = []
    for number, function in enumerate(functions):
        if len(function.factors) != order:
            continue
        degrees = tuple(f[2] for f in function.factors)
        products, table = independent_couplings(degrees, _identical(function.factors))
        for m_tuple, value in zip(products, table[function.coupling], strict=True):
            if value == 0.0:
                continue
            place = zip(function.factors, m_tuple, strict=True)
            index = tuple(sorted(density_index(f, m, n_max=n_max, l_max=l_max) for f, m in place))
            entries.append((number, rows.setdefault(index, len(rows)), float(value)))
    index = np.array(list(rows), dtype=np.int64).reshape(-1, order)
    function, product, value = zip(*entries, strict=True) if entries else ((), (), ())
    return Products(
        index, np.array(function, dtype=np.int64), np.array(product, dtype=np.int64), np.array(value, dtype=float)
    )


def _factor_tuples(degree: TotalDegree, order: int, channels: tuple[int, ...]) -> Iterator[tuple[Factor, ...]]:
    """Sorted tuples of factors within the limits whose degrees l can couple to an invariant."""
    limit, l_limit = degree.limits[order - 1], degree.l_limits[order - 1]
    l_largest = 0 if order == 1 else l_limit
    n_largest = int(limit / degree.radial_weight)
    factors = [
        (channel, n, l)
        for channel in channels
        for n in range(n_largest + 1)
        for l in range(l_largest + 1)
        if degree.of(((channel, n, l),)) <= limit + 1e-9
    ]
    factors.sort(key=lambda f: (degree.of((f,)), f))
    costs = [degree.of((f,)) for f in factors]
    for chosen in _bounded_combinations(costs, order, limit + 1e-9):
        group = tuple(sorted(factors[c] for c in chosen))
        degrees = [f[2] for f in group]
        if sum(degrees) % 2 == 0 and 2 * max(degrees) <= sum(degrees):
            yield group


def _bounded_combinations(costs: list[float], order: int, limit: float, first: int = 0) -> Iterator[tuple[int, ...]]:
    """Combinations with repetition of ascending `costs` whose sum stays within `limit`."""
    if order == 0:
        yield ()
        return
    for c in range(first, len(costs)):
        if costs[c] * order > limit:
            return
        for rest in _bounded_combinations(costs, order - 1, limit - costs[c], c):
            yield (c, *rest)


@cache
def _identical(factors: tuple[Factor, ...]) -> tuple[int, ...]:
    """Equal labels for equal factors, ascending along the (sorted) tuple."""
    return tuple(label for label, (_, group) in enumerate(groupby(factors)) for _ in group)

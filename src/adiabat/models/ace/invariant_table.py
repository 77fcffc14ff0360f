"""The table by which the compiled kernel computes the invariants of a basis, and their derivatives by the density."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from math import isqrt

import numpy as np

from adiabat.basis.specification import BasisSpecification
from adiabat.kernels.ace_invariants import InvariantTable, Products
from adiabat.kernels.ace_rows import Functions
from adiabat.models.ace.factors import Term, shortened
from adiabat.models.ace.functions import functions_of
from adiabat.models.ace.plan import Layout, component_rows, used_components

Entry = tuple[int, int, float]
"""Two values and the weight of their product."""

SAME = 1e-13
"""Relative difference of weights below which they are one number, computed in two orders."""


def basis_table(basis: BasisSpecification) -> InvariantTable:
    """The table of all invariants of a basis.

    An invariant that is a product of factors is Σ_u A_u ∂B/∂A_u / m over the components u of one kind (n, l) of factor, of
    which the product holds m (Euler's theorem for homogeneous functions). So invariants and derivatives are made of the
    same sums, and a sum is, but for a number, the derivative of several invariants.
    """
    components = component_rows(basis, Layout.of(basis), used_components(basis))
    given = functions_of(basis, components)
    sums = _Sums(components.rows)
    found = [sums.place(entries) for entries in _entries(given, sums)]
    chosen = _chosen_kinds(basis, given, found, sums)
    places = _Places.of(sums, [found[pair][0] for pairs, _ in chosen for pair in pairs])
    stages = _stages(basis, given, found, places)
    pairs = [pair for stage in stages for of_component in stage.pairs for pair in of_component]
    functions = np.repeat(np.arange(basis.n_functions), np.diff(given.pair_start))
    return InvariantTable(
        components=components,
        sums=_products([sums.of(place) for place in places.kept], places.new),
        value_sums=places.values,
        invariants=_products(
            [
                [(int(given.pair_component[pair]), found[pair][0], found[pair][1] / held) for pair in pairs_of_kind]
                for pairs_of_kind, held in chosen
            ],
            places.new,
        ),
        local=_products([sums.of(place) for stage in stages for place in stage.local], places.new),
        stage_local=_starts([len(stage.local) for stage in stages]),
        stage_component=_starts([len(stage.components) for stage in stages]),
        component=np.array([u for stage in stages for u in stage.components], dtype=np.int32),
        pair_start=_starts([len(of_component) for stage in stages for of_component in stage.pairs]),
        pair_function=functions[pairs].astype(np.int32),
        pair_place=np.array([place for stage in stages for place in stage.places], dtype=np.int32),
        pair_weight=np.array([found[pair][1] for pair in pairs], dtype=np.float64),
    )


@dataclass
class _Sums:
    """Distinct sums of products of two values: nodes first, single products that longer ones are made of.

    Values: the components, a 1, then the sums.
    """

    components: int
    nodes: int = 0
    entries: list[list[Entry]] = field(default_factory=list)
    _known: dict[tuple[tuple[int, int], ...], list[int]] = field(default_factory=lambda: defaultdict(list))

    @property
    def one(self) -> int:
        """The place of the 1."""
        return self.components

    def of(self, place: int) -> list[Entry]:
        """What the sum at a place is made of; nothing where a component or the 1 is."""
        return self.entries[place - self.one - 1] if place > self.one else []

    def gather(self, place: int, into: dict[int, None]) -> None:
        """Add the sum at a place, after all that it is made of."""
        if place > self.one and place not in into:
            for a, b, _ in self.of(place):
                self.gather(a, into)
                self.gather(b, into)
            into[place] = None

    def place(self, entries: list[Entry]) -> tuple[int, float]:
        """The value of which the sum is a multiple, and the number."""
        if len(entries) == 1 and entries[0][1] == self.one:
            return entries[0][0], entries[0][2]
        largest = max(abs(weight) for _, _, weight in entries)
        if largest == 0.0:
            return self.one, 0.0
        scale = next(weight for _, _, weight in entries if abs(weight) > 0.5 * largest)
        key = tuple((a, b) for a, b, _ in entries)
        weights = np.array([weight / scale for _, _, weight in entries])
        for place in self._known[key]:
            other = [weight for _, _, weight in self.of(place)]
            if np.abs(weights - other).max() <= SAME:
                return place, scale
        self.entries.append([(a, b, float(weight)) for (a, b), weight in zip(key, weights, strict=True)])
        place = self.one + len(self.entries)
        self._known[key].append(place)
        return place, scale


def _entries(given: Functions, sums: _Sums) -> list[list[Entry]]:
    """The products of two values of each derivative, ascending; those of more factors are shortened by nodes."""
    padded = given.term_factor.reshape(len(given.term_weight), -1).tolist()
    factors: list[Term] = [tuple(sorted(factor for factor in row if factor != sums.one)) for row in padded]
    long: list[Term] = sorted({term for term in factors if len(term) > 2})
    short, nodes = shortened(long, sums.one + 1, most=2)
    for left, right in nodes:
        sums.place([(left, right, 1.0)])
    sums.nodes = len(nodes)
    value: dict[Term, Term] = dict(zip(long, short, strict=True))
    starts, weights = given.term_start.tolist(), given.term_weight.tolist()
    found = []
    for begin, end in pairwise(starts):
        merged: dict[tuple[int, int], float] = defaultdict(float)
        for term in range(begin, end):
            a, b = (*value.get(factors[term], factors[term]), sums.one, sums.one)[:2]
            merged[min(a, b), max(a, b)] += weights[term]
        found.append([(a, b, weight) for (a, b), weight in sorted(merged.items())])
    return found


def _chosen_kinds(
    basis: BasisSpecification, given: Functions, found: list[tuple[int, float]], sums: _Sums
) -> list[tuple[list[int], int]]:
    """For each function the pairs of one kind of factor, and how many factors of it the function holds.

    Taken is the kind of the fewest products, those of a sum shared out among all functions that could use it.
    """
    harmonics = (basis.l_max + 1) ** 2
    kinds = [(c // harmonics, isqrt(c % harmonics)) for c in used_components(basis).tolist()]
    uses = Counter(place for place, _ in found)
    chosen = []
    for function, (begin, end) in zip(basis.functions, pairwise(given.pair_start.tolist()), strict=True):
        by_kind: dict[tuple[int, int], list[int]] = defaultdict(list)
        for pair in range(begin, end):
            by_kind[kinds[given.pair_component[pair]]].append(pair)
        costs = {
            kind: sum(1 + len(sums.of(found[pair][0])) / uses[found[pair][0]] for pair in pairs)
            for kind, pairs in by_kind.items()
        }
        kind = min(costs, key=lambda kind: costs[kind])
        held = [(channel * basis.n_max + n, l) for channel, n, l in function.factors].count(kind)
        chosen.append((by_kind[kind], held))
    return chosen


@dataclass(frozen=True)
class _Places:
    """The sums that are kept in the table of values: those that the invariants need, in that order, and the other nodes.

    Each stands after what it is made of.

    Attributes:
        kept: Their places among all sums.
        values: So many of the first are needed by the invariants.
        new: From a place among all sums to that in the table of values.
    """

    kept: list[int]
    values: int
    new: dict[int, int]

    @classmethod
    def of(cls, sums: _Sums, needed: list[int]) -> "_Places":
        kept: dict[int, None] = {}
        for place in needed:
            sums.gather(place, kept)
        values = len(kept)
        for place in range(sums.one + 1, sums.one + 1 + sums.nodes):
            sums.gather(place, kept)
        new = {place: place for place in range(sums.one + 1)}
        new |= {place: sums.one + 1 + k for k, place in enumerate(kept)}
        return cls(list(kept), values, new)


@dataclass(frozen=True)
class _Stage:
    """Components of one harmonic: their derivatives share sums, few enough for the fastest memory.

    Attributes:
        local: Places among all sums of those that are computed for the stage alone.
        components: Which.
        pairs: For each of them its pairs.
        places: For each pair the place in the table of values.
    """

    local: list[int]
    components: list[int]
    pairs: list[list[int]]
    places: list[int]


def _stages(
    basis: BasisSpecification, given: Functions, found: list[tuple[int, float]], places: _Places
) -> list[_Stage]:
    pairs_of: dict[int, list[int]] = defaultdict(list)
    for pair, component in enumerate(given.pair_component.tolist()):
        pairs_of[component].append(pair)
    harmonics = used_components(basis) % (basis.l_max + 1) ** 2
    stages = []
    for harmonic in np.unique(harmonics).tolist():
        components = np.flatnonzero(harmonics == harmonic).tolist()
        pairs = [pairs_of[component] for component in components]
        used = [found[pair][0] for of_component in pairs for pair in of_component]
        local = list(dict.fromkeys(place for place in used if place not in places.new))
        first = len(places.new)
        new = places.new | {place: first + k for k, place in enumerate(local)}
        stages.append(_Stage(local, components, pairs, [new[place] for place in used]))
    return stages


def _products(rows: list[list[Entry]], new: dict[int, int]) -> Products:
    entries = [entry for row in rows for entry in row]
    return Products(
        start=_starts([len(row) for row in rows]),
        first=np.array([new[a] for a, _, _ in entries], dtype=np.int32),
        second=np.array([new[b] for _, b, _ in entries], dtype=np.int32),
        weight=np.array([weight for _, _, weight in entries], dtype=np.float64),
    )


def _starts(lengths: list[int]) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int32)

"""From a linear cluster expansion to the plan that the compiled kernel walks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from adiabat.basis.specification import BasisSpecification
from adiabat.kernels.ace import BLOCK_ROWS, Plan, Program, SparseRows
from adiabat.models.ace.factors import Factorization, Term, blocks_of_rows, factorize
from adiabat.typing import FloatArray

NO_SWITCH = (0.0, 1.0)
"""Radius and inverse width of an inner switch that is 1 at all distances."""


@dataclass(frozen=True, eq=False)
class Layout:
    """Which radial functions and harmonics the kernel sums over the edges, and where.

    Attributes:
        radial: By degree l: how many simplified Bessel functions some product needs.
        segments: As `kernels.ace.Plan` has them.
        size: Components of the density of one species of neighbour.
    """

    radial: tuple[int, ...]
    segments: np.ndarray
    size: int

    @classmethod
    def of(cls, basis: BasisSpecification) -> "Layout":
        """What the products of a basis need."""
        contraction = basis.contraction.double().numpy()
        _, n, lm = _density_places(basis, used_components(basis))
        degree = np.sqrt(lm).astype(np.int64)
        radial = []
        for l in range(int(degree.max(initial=0)) + 1):
            used = np.abs(contraction[l, np.unique(n[degree == l])]).max(axis=0, initial=0.0).nonzero()[0]
            radial.append(1 + int(used.max(initial=-1)))
        segments, offset = [], 0
        for l, count in enumerate(radial):
            if segments and segments[-1][0] == count:
                segments[-1][2] = (l + 1) ** 2
            else:
                segments.append([count, l**2, (l + 1) ** 2, offset])
            offset += count * (2 * l + 1)
        return cls(tuple(radial), np.array(segments, dtype=np.int32), offset)

    @property
    def l_max(self) -> int:
        """Highest degree of the harmonics."""
        return len(self.radial) - 1

    def index(self, species: int, k: int, lm: int) -> int:
        """Where g_k Y_lm of a species of neighbour stands."""
        count, begin, end, offset = next(s for s in self.segments.tolist() if s[1] <= lm < s[2])
        assert k < count
        return species * self.size + offset + k * (end - begin) + lm - begin


@dataclass(frozen=True, eq=False)
class Repulsion:
    """A repulsion that the walk adds.

    Attributes:
        cutoff: Å.
        pairs: (species², 7) by species of centre and neighbour: the last columns of `kernels.ace.Plan.pairs`.
    """

    cutoff: float
    pairs: FloatArray


def used_components(basis: BasisSpecification) -> np.ndarray:
    """The components of the flattened density that some product holds, ascending."""
    return np.unique(np.concatenate([products.index.ravel() for products in basis.products]))


def switches(basis: BasisSpecification) -> FloatArray:
    """(species², 2) by species of centre and neighbour: radius and inverse width of the inner switch, Å and 1/Å."""
    pairs = [(min(a, b), max(a, b)) for a in basis.species for b in basis.species]
    inner = [basis.inner.get(pair) for pair in pairs]
    return np.array([(one.radius, 1 / one.width) if one else NO_SWITCH for one in inner])


def expansion_plan(
    basis: BasisSpecification,
    layout: Layout,
    programs: tuple[Program, ...] | None = None,
    *,
    repulsion: Repulsion | None = None,
    shifts: Sequence[float] = (),
) -> Plan:
    """The plan of an expansion.

    Args:
        basis: What the invariants are.
        layout: Of the same basis.
        programs: The energies of each species; none: the plan serves the invariants alone.
        repulsion: What the walk adds, on top of the expansion.
        shifts: eV, what an atom of each species has besides; none: nothing.
    """
    programs = programs or (Program.empty(),) * len(basis.species)
    if shifts:
        programs = tuple(replace(one, shift=shift) for one, shift in zip(programs, shifts, strict=True))
    pairs = len(basis.species) ** 2
    return Plan(
        cutoff=basis.cutoff,
        reach=max(basis.cutoff, repulsion.cutoff if repulsion else 0.0),
        l_max=layout.l_max,
        segments=layout.segments,
        pairs=np.concatenate([switches(basis), repulsion.pairs if repulsion else np.zeros((pairs, 7))], axis=1),
        programs=programs,
    )


def species_programs(basis: BasisSpecification, coefficients: Tensor, layout: Layout) -> tuple[Program, ...]:
    """The program of each species, from coefficients (species, functions) in eV."""
    programs: list[Program] = []
    structure: _Structure | None = None
    for of_species in coefficients.double().numpy():
        terms, weights = _terms(basis, of_species)
        if structure is None or structure.terms != terms:
            structure = _Structure.of(terms)
        programs.append(_program(structure, weights, component_rows(basis, layout, structure.components)))
    return tuple(programs)


def _terms(basis: BasisSpecification, coefficients: FloatArray) -> tuple[list[Term], FloatArray]:
    """The products of the density that an energy holds, factors ascending, and their weights (products,).

    Equal ones are merged; those without weight are left out.
    """
    place: dict[Term, int] = {}
    found = []
    for products in basis.products:
        weights = np.zeros(len(products.index))
        np.add.at(weights, products.product, products.value * coefficients[products.function])
        terms = [tuple(index) for index in np.sort(products.index, axis=1).tolist()]
        places = [place.setdefault(term, len(place)) for term in terms]
        found.append((places, weights))
    merged = np.zeros(len(place))
    for places, weights in found:
        np.add.at(merged, places, weights)
    kept = merged != 0.0
    return [term for term, k in place.items() if kept[k]], merged[kept]


@dataclass(frozen=True)
class _Structure:
    """A factorization and the order of its rows, as several species may share them."""

    terms: list[Term]
    components: np.ndarray
    factors: Factorization
    single_blocks: list[list[int]]
    pair_blocks: list[list[int]]

    @classmethod
    def of(cls, terms: list[Term]) -> "_Structure":
        components = np.unique(np.array([factor for term in terms for factor in term], dtype=np.int64))
        place = {int(component): k for k, component in enumerate(components)}
        factors = factorize([tuple(place[f] for f in term) for term in terms], len(components))
        columns: list[set[int]] = [set() for _ in factors.rows]
        for row, entry in factors.place:
            if entry is not None:
                columns[row].add(entry)
        by_length = [[k for k, row in enumerate(factors.rows) if len(row) == length] for length in (1, 2)]
        single, pair = (
            [[rows[k] for k in block] for block in blocks_of_rows([columns[row] for row in rows], BLOCK_ROWS)]
            for rows in by_length
        )
        return cls(terms, components, factors, single, pair)


def _program(structure: _Structure, weights: FloatArray, components: SparseRows) -> Program:
    factors = structure.factors
    linear: dict[int, int] = {}
    entries: list[dict[int, int]] = [{} for _ in factors.rows]
    for product, (row, entry) in enumerate(factors.place):
        if entry is None:
            linear[row] = product
        else:
            entries[row][entry] = product
    # Where a row lacks a product it takes the last one, of weight zero.
    weights = np.append(weights, 0.0)
    nothing = len(weights) - 1
    blocks = structure.single_blocks + structure.pair_blocks
    first, second = np.zeros((2, len(blocks), BLOCK_ROWS), dtype=np.int32)
    constant = np.full((len(blocks), BLOCK_ROWS), nothing)
    column: list[int] = []
    product_rows: list[list[int]] = []
    start = [0]
    for b, block in enumerate(blocks):
        for k, row in enumerate(block):
            first[b, k], second[b, k] = factors.rows[row][0], factors.rows[row][-1]
            constant[b, k] = linear.get(row, nothing)
        shared = sorted(set().union(*(entries[row] for row in block)))
        column += shared
        empty = [nothing] * (BLOCK_ROWS - len(block))
        product_rows += [[entries[row].get(c, nothing) for row in block] + empty for c in shared]
        start.append(len(column))
    return Program(
        components=components,
        left=np.array([left for left, _ in factors.nodes], dtype=np.int32),
        right=np.array([right for _, right in factors.nodes], dtype=np.int32),
        first=first.ravel(),
        second=second.ravel(),
        linear=weights[constant.ravel()],
        single_blocks=len(structure.single_blocks),
        column_start=np.array(start, dtype=np.int32),
        column=np.array(column, dtype=np.int32),
        weight=weights[np.array(product_rows, dtype=np.int64).ravel()],
    )


def component_rows(basis: BasisSpecification, layout: Layout, components: np.ndarray) -> SparseRows:
    """A_cnlm = Σ_z W_cz Σ_k C_lnk a_zklm, for components of the flattened density: rows over the a of all species."""
    contraction, mixing = basis.contraction.double().numpy(), basis.mixing.double().numpy()
    rows = []
    for channel, n, lm in zip(*_density_places(basis, components), strict=True):
        radial = contraction[int(np.sqrt(lm)), n]
        rows.append(
            [
                (layout.index(int(z), int(k), int(lm)), float(mixing[channel, z] * radial[k]))
                for z in mixing[channel].nonzero()[0]
                for k in radial.nonzero()[0]
            ]
        )
    return SparseRows.of(rows)


def _density_places(basis: BasisSpecification, index: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Channel, radial function and harmonic of components of the flattened density."""
    harmonics = (basis.l_max + 1) ** 2
    return index // (harmonics * basis.n_max), index // harmonics % basis.n_max, index % harmonics

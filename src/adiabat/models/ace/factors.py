"""How a sum of products is computed with few multiplications: which pairs of factors are multiplied once and used often."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import combinations

import numpy as np

Term = tuple[int, ...]
"""The factors of a product, ascending: components first, then nodes."""


@dataclass(frozen=True)
class Factorization:
    """Each product as v · V[entry], where v is V[first] · V[second].

    Attributes:
        components: How many values the products are made of.
        nodes: Further values: the product of two values before them.
        rows: v of each row: (first,) alone, or (first, second).
        place: For each product its row, and the entry; None where the product is v itself.
    """

    components: int
    nodes: list[tuple[int, int]]
    rows: list[tuple[int, ...]]
    place: list[tuple[int, int | None]]


def factorize(terms: list[Term], components: int) -> Factorization:
    """A factorization of products of any number of factors.

    Products of more than three factors are shortened: the pair that occurs in most of them becomes a node, until none
    is left. Of three factors, the pair that occurs in most products becomes a row; of two, the factor that does. Choosing
    the most frequent first is the greedy solution of a set cover.

    Args:
        terms: Distinct products, the factors of each ascending.
        components: Factors lie in [0, components).
    """
    short, nodes = shortened(terms, components, most=3)
    node_of: dict[tuple[int, ...], int] = {pair: components + k for k, pair in enumerate(nodes)}
    row_of: list[tuple[int, ...]] = [(term[0],) for term in short]
    for length in (2, 3):
        chosen = [k for k, term in enumerate(short) if len(term) == length]
        covered = _cover([short[k] for k in chosen], length - 1)
        for k, row in zip(chosen, covered, strict=True):
            row_of[k] = row
    # A pair that is a node anyway need not be multiplied again.
    factor = [(node_of[row],) if row in node_of else row for row in row_of]
    rows = sorted(set(factor), key=lambda row: (len(row), row))
    number = {row: k for k, row in enumerate(rows)}
    place = [(number[row], _rest(term, taken)) for term, taken, row in zip(short, row_of, factor, strict=True)]
    return Factorization(components, nodes, rows, place)


def _rest(term: Term, taken: tuple[int, ...]) -> int | None:
    """The one factor that a row leaves."""
    left = list(term)
    for factor in taken:
        left.remove(factor)
    return left[0] if left else None


def shortened(terms: list[Term], components: int, *, most: int) -> tuple[list[Term], list[tuple[int, int]]]:
    """The products with at most so many factors each, and the nodes that they then hold.

    The pair that occurs in most of the longer ones becomes a node, until none is left.

    Args:
        terms: Distinct products, the factors of each ascending.
        components: Factors lie in [0, components).
        most: Two or more.
    """
    short, nodes = list(terms), []
    holders: dict[tuple[int, int], set[int]] = defaultdict(set)
    for k, term in enumerate(terms):
        if len(term) > most:
            for pair in _pairs(term):
                holders[pair].add(k)
    heap = [(-len(found), pair) for pair, found in holders.items()]
    heapify(heap)
    while heap:
        count, pair = heappop(heap)
        if len(holders[pair]) != -count:
            if holders[pair]:
                heappush(heap, (-len(holders[pair]), pair))
            continue
        if count == 0:
            continue
        node = components + len(nodes)
        nodes.append(pair)
        touched: set[tuple[int, int]] = set()
        for k in sorted(holders[pair]):
            for old in _pairs(short[k]):
                holders[old].discard(k)
            short[k] = _replaced(short[k], pair, node)
            if len(short[k]) > most:
                for new in _pairs(short[k]):
                    holders[new].add(k)
                    touched.add(new)
        for new in sorted(touched):
            heappush(heap, (-len(holders[new]), new))
    return short, nodes


def _replaced(term: Term, pair: tuple[int, int], node: int) -> Term:
    left = list(term)
    for factor in pair:
        left.remove(factor)
    return (*left, node)


def _pairs(term: Term) -> set[tuple[int, int]]:
    return set(combinations(term, 2))


def _cover(terms: list[Term], size: int) -> Iterator[tuple[int, ...]]:
    """For each product the `size` factors that make its row, so that rows are few."""
    holders: dict[tuple[int, ...], set[int]] = defaultdict(set)
    for k, term in enumerate(terms):
        for part in _parts(term, size):
            holders[part].add(k)
    heap = [(-len(found), part) for part, found in holders.items()]
    heapify(heap)
    row: dict[int, tuple[int, ...]] = {}
    while len(row) < len(terms):
        count, part = heappop(heap)
        left = [k for k in holders[part] if k not in row]
        if len(left) != -count:
            if left:
                heappush(heap, (-len(left), part))
            continue
        row.update(dict.fromkeys(left, part))
    return (row[k] for k in range(len(terms)))


def _parts(term: Term, size: int) -> Iterable[tuple[int, ...]]:
    return set(combinations(term, size))


def blocks_of_rows(columns: list[set[int]], size: int) -> list[list[int]]:
    """Rows in blocks of `size`, the last one perhaps smaller, such that those of a block share many columns.

    Greedy: a block begins with the row of most columns, and takes the row that adds fewest new ones to it.
    """
    holders: dict[int, list[int]] = defaultdict(list)
    for k, row in enumerate(columns):
        for column in row:
            holders[column].append(k)
    count = np.array([len(row) for row in columns], dtype=np.float64)
    blocks: list[list[int]] = []
    for _ in range(-(-len(columns) // size)):
        block: list[int] = []
        union: set[int] = set()
        shared = np.zeros(len(columns))
        while len(block) < size and np.isfinite(count).any():
            # A shared column counts half a new one, so that of two rows that fit equally the longer is taken.
            k = int(np.argmin(count - 1.5 * shared) if block else np.argmax(np.where(np.isfinite(count), count, -1.0)))
            block.append(k)
            count[k] = np.inf
            for column in columns[k] - union:
                shared[holders[column]] += 1
            union |= columns[k]
        blocks.append(block)
    return blocks

"""A factorization computes the products it was made for, with fewer multiplications."""

from itertools import combinations_with_replacement

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from adiabat.models.ace.factors import Factorization, blocks_of_rows, factorize


def evaluated(factors: Factorization, components: np.ndarray) -> list[float]:
    values = list(components)
    for left, right in factors.nodes:
        values.append(values[left] * values[right])
    rows = [np.prod([values[factor] for factor in row]) for row in factors.rows]
    return [float(rows[row]) * (1.0 if entry is None else values[entry]) for row, entry in factors.place]


@settings(deadline=None, max_examples=100, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1), components=st.integers(1, 8), orders=st.integers(1, 7), count=st.integers(0, 80))
def test_every_product_is_its_row_times_its_entry(seed: int, components: int, orders: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    drawn = (rng.integers(0, components, rng.integers(1, orders + 1)) for _ in range(count))
    terms = sorted({tuple(sorted(term.tolist())) for term in drawn})
    values = rng.uniform(0.5, 1.5, components)

    found = evaluated(factorize(terms, components), values)

    assert np.allclose(found, [np.prod(values[list(term)]) for term in terms], rtol=1e-13)


def test_nodes_and_rows_are_fewer_than_products() -> None:
    terms = [t for order in (2, 3, 4) for t in combinations_with_replacement(range(12), order)]

    found = factorize(terms, 12)

    assert len(found.nodes) + len(found.rows) < 0.2 * len(terms)
    assert len(set(found.place)) == len(terms)


@settings(deadline=None, max_examples=100, derandomize=True)
@given(rows=st.lists(st.sets(st.integers(0, 12), max_size=6), max_size=30), size=st.integers(1, 5))
def test_every_row_stands_in_one_block(rows: list[set[int]], size: int) -> None:
    blocks = blocks_of_rows(rows, size)

    assert sorted(row for block in blocks for row in block) == list(range(len(rows)))
    assert all(len(block) == size for block in blocks[:-1])


def test_rows_that_share_columns_stand_together() -> None:
    rows = [{0, 1, 2}, {7, 8, 9}, {0, 1, 3}, {7, 8, 6}, {0, 1, 2}, {7, 8, 9}]

    assert [set(block) for block in blocks_of_rows(rows, 3)] == [{0, 2, 4}, {1, 3, 5}]

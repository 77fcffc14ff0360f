"""The table of sums gives the invariants that the basis defines, and their derivatives, with fewer products."""

import numpy as np
import pytest
from random_expansions import random_expansion

from adiabat.basis.specification import BasisSpecification
from adiabat.kernels.ace_invariants import InvariantTable, Products
from adiabat.models.ace.invariant_table import basis_table
from adiabat.models.ace.plan import used_components

BASES = {
    "one to six factors": random_expansion([14], limits=(3, 4, 3, 3, 2, 2), l_limits=(0, 2, 2, 1, 1, 1)).basis,
    "mixed channels, contracted": random_expansion(
        [8, 14, 26], mixed=True, contracted=True, limits=(4, 4, 3), l_limits=(0, 2, 2)
    ).basis,
    "one factor": random_expansion([14], limits=(6,), l_limits=(0,)).basis,
}


def rows(products: Products, values: list[float], begin: int, end: int) -> list[float]:
    found = []
    for k in range(begin, end):
        entries = slice(products.start[k], products.start[k + 1])
        terms = zip(products.weight[entries], products.first[entries], products.second[entries], strict=True)
        found.append(sum(float(weight) * values[a] * values[b] for weight, a, b in terms))
    return found


def evaluated(table: InvariantTable, components: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(functions,) and (functions, components) as the kernel walks the table."""
    values = [*components.tolist(), 1.0]
    for k in range(len(table.sums.start) - 1):
        if k == table.value_sums:
            found = rows(table.invariants, values, 0, table.functions)
        values += rows(table.sums, values, k, k + 1)
    if table.value_sums == len(table.sums.start) - 1:
        found = rows(table.invariants, values, 0, table.functions)
    derivatives = np.zeros((table.functions, len(components)))
    for stage in range(len(table.stage_local) - 1):
        local = rows(table.local, values, table.stage_local[stage], table.stage_local[stage + 1])
        here = [*values, *local]
        for k in range(table.stage_component[stage], table.stage_component[stage + 1]):
            for p in range(table.pair_start[k], table.pair_start[k + 1]):
                slope = table.pair_weight[p] * here[table.pair_place[p]]
                derivatives[table.pair_function[p], table.component[k]] += slope
    return np.array(found), derivatives


def defined(basis: BasisSpecification, components: np.ndarray) -> np.ndarray:
    """(functions,) by the basis's product tables."""
    found = np.zeros(basis.n_functions, dtype=components.dtype)
    for products in basis.products:
        factors = components[np.searchsorted(used_components(basis), products.index)]
        np.add.at(found, products.function, products.value * factors.prod(axis=1)[products.product])
    return found


@pytest.mark.parametrize("basis", BASES.values(), ids=BASES)
def test_sums_give_the_invariants_and_their_derivatives(basis: BasisSpecification) -> None:
    components = np.random.default_rng(2).uniform(0.5, 1.5, len(used_components(basis)))
    steps = components + 1e-30j * np.eye(len(components))  # imaginary steps: derivatives without cancellation

    values, derivatives = evaluated(basis_table(basis), components)

    expected = defined(basis, components)
    slopes = np.stack([np.imag(defined(basis, step)) for step in steps], axis=1) / 1e-30
    assert np.abs(values - expected).max() <= 1e-12 * np.abs(expected).max()
    assert np.abs(derivatives - slopes).max() <= 1e-12 * np.abs(slopes).max()


def test_derivatives_share_sums() -> None:
    basis = random_expansion([14], limits=(8, 8, 8), l_limits=(0, 4, 4)).basis
    table = basis_table(basis)
    products = sum(len(order.index) for order in basis.products)

    assert len(table.invariants.weight) + table.sums.start[table.value_sums] < 0.9 * products
    assert len(table.local.start) - 1 < 0.5 * len(table.pair_place)

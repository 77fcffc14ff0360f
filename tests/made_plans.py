"""Plans small enough to be written by hand, for what the compiled classes refuse."""

from dataclasses import replace
from typing import Any

import numpy as np

from adiabat.kernels import _core
from adiabat.kernels.ace import SparseRows
from adiabat.kernels.ace_invariants import InvariantTable, Products


def smallest_plan() -> _core.PlanBuilder:
    """One species, one radial function, one harmonic, no energy."""
    builder = _core.PlanBuilder(4.0, 4.0, 0, np.array([[1, 0, 1, 0]], dtype=np.int32), np.zeros((1, 9)))
    nothing, start, zeros = np.zeros(0, dtype=np.int32), np.zeros(1, dtype=np.int32), np.zeros(0)
    builder.add_program(start, nothing, zeros, nothing, nothing, nothing, nothing, zeros, 0, start, nothing, zeros, 0.0)
    return builder


def smallest_table(**changes: Any) -> InvariantTable:
    """One function: the cube of one component, of a density of one radial function. Values: it, a 1, its square, half of it."""
    integers = np.int32
    table = InvariantTable(
        components=SparseRows(np.array([0, 1], dtype=integers), np.zeros(1, dtype=integers), np.ones(1)),
        sums=products([(0, 0, 1.0)], [0, 1]),
        value_sums=1,
        invariants=products([(0, 2, 1.0)], [0, 1]),
        local=products([(2, 1, 0.5)], [0, 1]),
        stage_local=np.array([0, 1], dtype=integers),
        stage_component=np.array([0, 1], dtype=integers),
        component=np.zeros(1, dtype=integers),
        pair_start=np.array([0, 1], dtype=integers),
        pair_function=np.zeros(1, dtype=integers),
        pair_place=np.array([3], dtype=integers),
        pair_weight=np.array([6.0]),
    )
    return replace(table, **changes)


def products(entries: list[tuple[int, int, float]], start: list[int]) -> Products:
    """Rows of products from (first, second, weight)."""
    first, second, weight = zip(*entries, strict=True) if entries else ((), (), ())
    return Products(
        np.array(start, dtype=np.int32),
        np.array(first, dtype=np.int32),
        np.array(second, dtype=np.int32),
        np.array(weight, dtype=np.float64),
    )


WRONG_TABLES = {
    "a component beyond the density": {
        "components": SparseRows(np.array([0, 1], dtype=np.int32), np.ones(1, dtype=np.int32), np.ones(1))
    },
    "a sum of itself": {"sums": products([(0, 2, 1.0)], [0, 1])},
    "a sum of a negative place": {"sums": products([(0, -1, 1.0)], [0, 1])},
    "a sum that is no number": {"sums": products([(0, 0, np.nan)], [0, 1])},
    "sums beyond the last": {"sums": products([(0, 0, 1.0)], [0, 2])},
    "sums without a table": {"sums": products([], [])},
    "more sums than there are": {"value_sums": 2},
    "fewer sums than none": {"value_sums": -1},
    "an invariant of a sum that it does not need": {"value_sums": 0},
    "an invariant of a local sum": {"invariants": products([(0, 3, 1.0)], [0, 1])},
    "a local sum of a local sum": {"local": products([(0, 3, 1.0)], [0, 1])},
    "a stage beyond the local sums": {"stage_local": np.array([0, 2], dtype=np.int32)},
    "no stages": {"stage_local": np.zeros(0, dtype=np.int32)},
    "components beyond the last stage": {"stage_component": np.array([0, 0], dtype=np.int32)},
    "a component that does not exist": {"component": np.ones(1, dtype=np.int32)},
    "a component too many": {"component": np.zeros(2, dtype=np.int32)},
    "pairs that overlap": {"pair_start": np.array([0, 2], dtype=np.int32)},
    "a pair of half": {"pair_weight": np.zeros(0)},
    "a function beyond the last": {"pair_function": np.ones(1, dtype=np.int32)},
    "a derivative beyond the stage": {"pair_place": np.array([4], dtype=np.int32)},
    "a derivative that is no number": {"pair_weight": np.array([np.inf])},
}
"""What leads out of memory, or is no number."""

"""The compiled operations: against NumPy, and against bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from adiabat.kernels import _core, canonical_edge_order


@settings(deadline=None, max_examples=60, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1), atoms=st.integers(1, 6), edges=st.integers(0, 200))
def test_the_canonical_order_is_that_of_a_lexicographic_sort(seed: int, atoms: int, edges: int) -> None:
    rng = np.random.default_rng(seed)
    center, neighbor = rng.integers(0, atoms, (2, edges))
    shift = rng.integers(-2, 3, (edges, 3))

    order = canonical_edge_order(atoms, center, neighbor, shift)

    rows = np.column_stack([center, neighbor, shift])
    assert sorted(order) == list(range(edges))
    assert rows[order].tolist() == sorted(rows.tolist())


def arguments() -> dict[str, NDArray]:
    return {
        "center": np.array([1, 0, 1]),
        "neighbor": np.array([0, 1, 1]),
        "shift": np.zeros((3, 3), dtype=np.int64),
        "order": np.zeros(3, dtype=np.int64),
    }


WRONG = {
    "other integers": ("center", np.array([1, 0, 1], dtype=np.int32)),
    "floats": ("neighbor", np.array([0.0, 1.0, 1.0])),
    "two dimensions": ("center", np.zeros((3, 1), dtype=np.int64)),
    "one dimension": ("shift", np.zeros(9, dtype=np.int64)),
    "two columns": ("shift", np.zeros((3, 2), dtype=np.int64)),
    "not contiguous": ("center", np.zeros(6, dtype=np.int64)[::2]),
    "columns first": ("shift", np.asfortranarray(np.zeros((3, 3), dtype=np.int64))),
    "output of another type": ("order", np.zeros(3, dtype=np.float64)),
    "read-only output": ("order", np.frombuffer(bytes(24), dtype=np.int64)),
    "a list": ("center", [1, 0, 1]),
    "nothing": ("center", None),
}


@pytest.mark.parametrize(("name", "value"), WRONG.values(), ids=WRONG)
def test_arrays_of_another_type_or_layout_are_refused(name: str, value: object) -> None:
    with pytest.raises(TypeError, match="incompatible function arguments"):
        _core.canonical_edge_order(2, **(arguments() | {name: value}))  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("name", ["neighbor", "shift", "order"])
def test_arrays_of_different_lengths_are_refused(name: str) -> None:
    shorter = arguments() | {name: arguments()[name][:2].copy()}

    with pytest.raises(ValueError, match="same length"):
        _core.canonical_edge_order(2, **shorter)


@pytest.mark.parametrize(("atoms", "center"), [(1, [0, 0, 1]), (2, [0, -1, 0]), (0, [0, 0, 0])])
def test_a_centre_outside_the_structure_is_refused(atoms: int, center: list[int]) -> None:
    with pytest.raises(IndexError, match="between 0 and the number of atoms"):
        _core.canonical_edge_order(atoms, **(arguments() | {"center": np.array(center)}))


def test_no_edges_have_an_empty_order() -> None:
    nothing = np.zeros(0, dtype=np.int64)

    for atoms in (0, 3):
        assert len(canonical_edge_order(atoms, nothing, nothing, np.zeros((0, 3), dtype=np.int64))) == 0


def test_a_negative_number_of_atoms_is_refused() -> None:
    nothing = np.zeros(0, dtype=np.int64)

    with pytest.raises(ValueError, match="number of atoms"):
        canonical_edge_order(-3, nothing, nothing, np.zeros((0, 3), dtype=np.int64))

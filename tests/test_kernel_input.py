"""What the compiled kernel refuses: arrays of another type or shape, and tables that lead out of memory."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from random_expansions import random_expansion

from adiabat.kernels.ace import (
    BLOCK_ROWS,
    INSTRUCTION_SET_VARIABLE,
    Configuration,
    Evaluator,
    Execution,
    Plan,
    Program,
    SparseRows,
    Want,
    instruction_sets,
)
from adiabat.kernels.edges import EdgeList, listed_edges
from adiabat.models.ace.plan import Layout, expansion_plan, species_programs

ATOMS = 3


def plan() -> Plan:
    model = random_expansion([8, 14], limits=(3, 3, 2, 2), l_limits=(0, 1, 1, 1))
    layout = Layout.of(model.basis)
    return expansion_plan(model.basis, layout, species_programs(model.basis, model.coefficients, layout))


def edges(**changes: Any) -> EdgeList:
    arguments: dict[str, Any] = {
        "systems": 1,
        "center": np.array([0, 0, 1, 1, 2, 2]),
        "neighbor": np.array([1, 2, 0, 2, 0, 1]),
        "shift": np.zeros((6, 3), dtype=np.int64),
        "system": np.zeros(ATOMS, dtype=np.int64),
    }
    return listed_edges(**(arguments | changes))


def evaluate(list_of_edges: EdgeList | None = None, execution: Execution | None = None, **changes: Any) -> Any:
    arguments: dict[str, Any] = {
        "positions": np.array([[0.0, 0.0, 0.0], [2.0, 0.0, 0.1], [0.3, 2.1, 0.0]]),
        "cells": np.zeros((1, 3, 3)),
        "species": np.array([0, 1, 1], dtype=np.int32),
    }
    arguments |= changes
    return Evaluator(plan())(
        Configuration(list_of_edges or edges(), **arguments),
        want=Want(forces=True, virial=True, atomic_virials=True),
        execution=execution or Execution(),
    )


def test_what_is_refused_here_is_accepted_when_it_is_right() -> None:
    found = evaluate()

    assert np.abs(found.forces).max() > 1e-3
    assert np.abs(found.forces.sum(0)).max() < 1e-12


WRONG_TYPE = {
    "positions in single precision": {"positions": np.zeros((ATOMS, 3), dtype=np.float32)},
    "positions of whole numbers": {"positions": np.zeros((ATOMS, 3), dtype=np.int64)},
    "positions in a plane": {"positions": np.zeros((ATOMS, 2))},
    "positions in a row": {"positions": np.zeros(3 * ATOMS)},
    "every second position": {"positions": np.zeros((2 * ATOMS, 3))[::2]},
    "positions columns first": {"positions": np.asfortranarray(np.zeros((ATOMS, 3)))},
    "a cell without systems": {"cells": np.zeros((3, 3))},
    "long species": {"species": np.zeros(ATOMS, dtype=np.int64)},
    "species of fractions": {"species": np.zeros(ATOMS)},
    "nothing": {"positions": None},
}


@pytest.mark.parametrize("change", WRONG_TYPE.values(), ids=WRONG_TYPE)
def test_arrays_of_another_type_or_layout_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        evaluate(**change)


WRONG_VALUE = {
    "fewer positions": ({"positions": np.zeros((ATOMS - 1, 3))}, "positions have one row"),
    "more species": ({"species": np.zeros(ATOMS + 1, dtype=np.int32)}, "species have one row"),
    "two cells": ({"cells": np.zeros((2, 3, 3))}, "one cell for each system"),
    "a species beyond the last": ({"species": np.array([0, 2, 1], dtype=np.int32)}, "species must lie"),
    "a negative species": ({"species": np.array([0, -1, 1], dtype=np.int32)}, "species must lie"),
    "a position that is no number": ({"positions": np.full((ATOMS, 3), np.nan)}, "positions must be finite"),
    "an infinite cell": ({"cells": np.full((1, 3, 3), np.inf)}, "cells must be finite"),
}


@pytest.mark.parametrize(("change", "message"), WRONG_VALUE.values(), ids=WRONG_VALUE)
def test_values_out_of_range_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        evaluate(**change)


WRONG_EDGES = {
    "a centre beyond the last atom": ({"center": np.array([0, 0, 1, 1, 2, 3])}, IndexError),
    "a negative neighbour": ({"neighbor": np.array([1, 2, 0, 2, 0, -1])}, IndexError),
    "centres that descend": ({"center": np.array([0, 0, 1, 2, 1, 2])}, ValueError),
    "a structure beyond the last": ({"system": np.array([0, 0, 1])}, IndexError),
    "structures that descend": ({"systems": 2, "system": np.array([0, 1, 0])}, ValueError),
    "no structure": ({"systems": 0}, IndexError),
    "a negative number of structures": ({"systems": -1}, ValueError),
    "fewer shifts": ({"shift": np.zeros((5, 3), dtype=np.int64)}, ValueError),
    "short neighbours": ({"neighbor": np.zeros(6, dtype=np.int32)}, TypeError),
}


@pytest.mark.parametrize(("change", "error"), WRONG_EDGES.values(), ids=WRONG_EDGES)
def test_edges_that_lead_nowhere_are_refused(change: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        edges(**change)


def test_no_atoms_have_no_energies() -> None:
    nothing = np.zeros(0, dtype=np.int64)
    empty = listed_edges(1, nothing, nothing, np.zeros((0, 3), dtype=np.int64), nothing)

    found = evaluate(empty, positions=np.zeros((0, 3)), species=np.zeros(0, dtype=np.int32))

    assert found.energies.shape == (0,)
    assert found.forces.shape == (0, 3)
    assert (found.energy == 0).all()
    assert (found.virial == 0).all()


def test_an_instruction_set_can_be_forced_and_an_unknown_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert instruction_sets()[-1] == "baseline"
    for name in instruction_sets():
        evaluate(execution=Execution(instruction_set=name))
    with pytest.raises(ValueError, match=r"no instruction set 'avx1024'.*baseline"):
        evaluate(execution=Execution(instruction_set="avx1024"))
    monkeypatch.setenv(INSTRUCTION_SET_VARIABLE, "neon")
    with pytest.raises(ValueError, match="no instruction set 'neon'"):
        evaluate()


@pytest.mark.parametrize("threads", [0, -2])
def test_no_threads_are_refused(threads: int) -> None:
    with pytest.raises(ValueError, match="threads must be positive"):
        evaluate(execution=Execution(threads=threads))


def changed(name: str, place: int, value: float) -> Plan:
    """The plan with one number of its first program changed."""
    correct = plan()
    program = correct.programs[0]
    if "." in name:
        outer, inner = name.split(".")
        rows: SparseRows = getattr(program, outer)
        wrong = replace(program, **{outer: replace(rows, **{inner: with_value(getattr(rows, inner), place, value)})})
    else:
        wrong = replace(program, **{name: with_value(getattr(program, name), place, value)})
    return replace(correct, programs=(wrong, *correct.programs[1:]))


def with_value(array: np.ndarray, place: int, value: float) -> np.ndarray:
    found = array.copy()
    found[place] = value
    return found


@pytest.mark.parametrize("value", [-1, 10**6, 2**31 - 1])
@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("components.start", -1),
        ("components.start", 1),
        ("components.index", 0),
        ("left", 0),
        ("right", 0),
        ("first", 0),
        ("second", -1),
        ("column_start", 1),
        ("column_start", -1),
        ("column", -1),
    ],
)
def test_a_table_that_leads_out_of_memory_is_refused(name: str, place: int, value: int) -> None:
    with pytest.raises(ValueError, match=r"a factor|rows|a sparse index"):
        Evaluator(changed(name, place, value))


@pytest.mark.parametrize("name", ["linear", "weight", "components.weight"])
def test_coefficients_that_are_not_finite_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="finite"):
        Evaluator(changed(name, 0, np.nan))


def test_a_shift_that_is_not_finite_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        Evaluator(with_program(plan(), shift=np.nan))


WRONG_PLANS = {
    "no species": lambda p: replace(p, programs=()),
    "a pair too few": lambda p: replace(p, pairs=p.pairs[:-1].copy()),
    "no cutoff": lambda p: replace(p, cutoff=0.0),
    "a reach that is no number": lambda p: replace(p, reach=np.nan),
    "a negative degree": lambda p: replace(p, l_max=-1),
    "a degree without a segment": lambda p: replace(p, l_max=p.l_max + 1),
    "segments apart": lambda p: replace(p, segments=p.segments + np.array([0, 0, 0, 1], dtype=np.int32)),
    "a row too few": lambda p: with_program(p, first=p.programs[0].first[:-1].copy()),
    "a weight too few": lambda p: with_program(p, weight=p.programs[0].weight[:-BLOCK_ROWS].copy()),
    "more single blocks than blocks": lambda p: with_program(p, single_blocks=10**6),
}


def with_program(correct: Plan, **changes: Any) -> Plan:
    wrong: Program = replace(correct.programs[0], **changes)
    return replace(correct, programs=(wrong, *correct.programs[1:]))


@pytest.mark.parametrize("wrong", WRONG_PLANS.values(), ids=WRONG_PLANS)
def test_plans_that_do_not_fit_together_are_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Evaluator(wrong(plan()))

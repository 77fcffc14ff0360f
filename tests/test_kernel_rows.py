"""Compiled rows of the design matrix against the reference's, for every kind of expansion and structure."""

from typing import Any

import numpy as np
import pytest
import torch
from ase import Atoms
from made_plans import smallest_plan
from made_potentials import made_ace
from random_expansions import random_expansion

from adiabat.kernels import _core
from adiabat.kernels.ace import INSTRUCTION_SET_VARIABLE, instruction_sets
from adiabat.kernels.edges import listed_edges
from adiabat.models import LinearACE
from adiabat.models.ace import RowBuilder
from adiabat.models.ace.compiled_rows import CompiledRowBuilder
from adiabat.neighbors import neighbor_graph
from adiabat.system import Batch
from adiabat.testing.structures import contract_cases, default_length

THREE = (8, 14, 26)

EXPANSIONS = {
    "two species": made_ace(),
    "six factors": random_expansion([14], limits=(3, 4, 3, 3, 2, 2), l_limits=(0, 2, 2, 1, 1, 1)),
    "mixed channels, contracted": random_expansion(THREE, mixed=True, contracted=True, limits=(4, 4, 3)),
    "one factor": random_expansion([14], limits=(6,), l_limits=(0,)),
    "high degree": random_expansion([14], limits=(2, 9), l_limits=(0, 9)),
}


@pytest.mark.parametrize("name", instruction_sets())
@pytest.mark.parametrize("model", EXPANSIONS.values(), ids=EXPANSIONS)
def test_rows_are_those_of_the_reference(model: LinearACE, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(INSTRUCTION_SET_VARIABLE, name)
    reference, build = RowBuilder(model.basis), CompiledRowBuilder(model.basis)
    for case in contract_cases(model.species, length=default_length(model.species))[::2]:
        graph = neighbor_graph(Batch.from_atoms(case.atoms), model.cutoff + 0.5)
        expected, found = reference(graph), build(graph)
        for quantity in ("features", "energy", "forces", "virial"):
            right, value = getattr(expected, quantity), getattr(found, quantity)
            assert value.shape == right.shape
            assert (value - right).abs().max() <= 1e-12 * (right.abs().max() + 0.1), (case.name, quantity)


def test_a_model_builds_its_rows_by_the_kernel_and_elsewhere_by_the_reference() -> None:
    model = EXPANSIONS["two species"]
    atoms = Atoms("Si3O", positions=[[0, 0, 0], [2.2, 0, 0], [0, 2.3, 0], [0.1, 0.2, 1.8]])
    graph = neighbor_graph(Batch.from_atoms(atoms), model.cutoff)
    narrow = graph.on(graph.batch.to(dtype=torch.float32))

    assert torch.equal(model.design_rows(graph).forces, CompiledRowBuilder(model.basis)(graph).forces)
    assert not CompiledRowBuilder(model.basis).serves(narrow)


def test_lone_atoms_have_rows_of_zeros() -> None:
    model = EXPANSIONS["two species"]
    rows = model.design_rows(neighbor_graph(Batch.from_atoms(Atoms("SiO", [[0, 0, 0], [20, 0, 0]])), model.cutoff))

    for quantity in (rows.features, rows.energy, rows.forces, rows.virial):
        assert (quantity == 0).all()


def arguments() -> dict[str, Any]:
    """One function of one component of a density of one radial function."""
    integers, whole = np.int32, np.int64
    return {
        "component_start": np.array([0, 1], dtype=integers),
        "component_index": np.zeros(1, dtype=integers),
        "component_weight": np.ones(1),
        "pair_start": np.array([0, 1], dtype=whole),
        "pair_component": np.zeros(1, dtype=integers),
        "term_start": np.array([0, 1], dtype=whole),
        "term_weight": np.ones(1),
        "term_factor": np.zeros(1, dtype=integers),
        "factors": np.array([2], dtype=integers),
    }


def test_what_is_refused_here_is_accepted_when_it_is_right() -> None:
    assert isinstance(_core.RowBuilder(smallest_plan(), **arguments()), _core.RowBuilder)


WRONG = {
    "a component beyond the density": ("component_index", np.array([1], dtype=np.int32)),
    "pairs beyond the last": ("pair_start", np.array([0, 2])),
    "pairs that descend": ("pair_start", np.array([0, -1])),
    "a pair without its component": ("pair_component", np.array([1], dtype=np.int32)),
    "terms beyond the last": ("term_start", np.array([0, 5])),
    "a factor beyond one": ("term_factor", np.array([2], dtype=np.int32)),
    "a factor too many": ("term_factor", np.zeros(2, dtype=np.int32)),
    "a function without factors": ("factors", np.array([0], dtype=np.int32)),
    "a function too many": ("factors", np.array([2, 2], dtype=np.int32)),
}


@pytest.mark.parametrize(("name", "value"), WRONG.values(), ids=WRONG)
def test_tables_that_lead_out_of_memory_are_refused(name: str, value: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r".+"):
        _core.RowBuilder(smallest_plan(), **(arguments() | {name: value}))


@pytest.mark.parametrize("name", ["features", "forces", "virial"])
def test_outputs_of_another_shape_are_refused(name: str) -> None:
    model = EXPANSIONS["one factor"]
    builder = CompiledRowBuilder(model.basis)._kernel._core
    nothing = np.zeros(0, dtype=np.int64)
    edges = listed_edges(1, nothing, nothing, np.zeros((0, 3), dtype=np.int64), np.zeros(1, dtype=np.int64))
    count = model.basis.n_functions
    right = {"features": np.empty((1, count)), "forces": np.empty((3, count)), "virial": np.empty((count, 6))}
    given = (edges, np.zeros((1, 3)), np.zeros((1, 3, 3)), np.zeros(1, dtype=np.int32))

    builder.rows(*given, **right, instruction_set="")
    with pytest.raises(ValueError, match=r"row"):
        builder.rows(
            *given,
            **(right | {name: right[name][:, :-1].copy() if name != "virial" else right[name][:-1].copy()}),
            instruction_set="",
        )

"""Several coefficient vectors in one walk against one walk for each."""

import numpy as np
import pytest
import torch
from made_potentials import made_ace
from random_expansions import random_expansion

from adiabat.kernels.ace import INSTRUCTION_SET_VARIABLE as VARIABLE
from adiabat.kernels.ace import CommitteeEvaluation, Evaluator, Plan, Want, instruction_sets
from adiabat.models import LinearACE
from adiabat.models.ace.compiled_committee import CompiledCommittee
from adiabat.models.ace.plan import Layout, committee_programs, expansion_plan
from adiabat.neighbors import neighbor_graph
from adiabat.potential.compiled import CompiledSum
from adiabat.system import Batch, Graph
from adiabat.testing.structures import contract_cases, default_length, packing

THREE = (8, 14, 26)
FIELDS = ("energies", "nearest_squared", "energy", "forces", "virial", "atomic_virials")
EVERYTHING = Want(forces=True, virial=True, atomic_virials=True)

EXPANSIONS = {
    "two species": made_ace(),
    "six factors": random_expansion([14], limits=(3, 4, 3, 3, 2, 2), l_limits=(0, 2, 2, 1, 1, 1)),
    "mixed channels, contracted": random_expansion(THREE, mixed=True, contracted=True, limits=(4, 4, 3)),
    "one factor": random_expansion([14], limits=(6,), l_limits=(0,)),
}


def drawn(model: LinearACE, members: int) -> torch.Tensor:
    """(members, species, functions): around the model's own; the second lacks every third function."""
    noise = torch.from_numpy(np.random.default_rng(1).normal(size=(members, *model.coefficients.shape)))
    found = model.coefficients * (1 + 0.3 * noise)
    found[1:2, :, ::3] = 0.0
    return found


def graphs(model: LinearACE) -> list[Graph]:
    cases = contract_cases(model.species, length=default_length(model.species))
    return [neighbor_graph(Batch.from_atoms(case.atoms), model.cutoff + 0.3) for case in cases]


@pytest.mark.parametrize("name", instruction_sets())
@pytest.mark.parametrize("members", [1, 2, 3, 8])
@pytest.mark.parametrize("model", EXPANSIONS.values(), ids=EXPANSIONS)
def test_each_member_is_what_it_is_alone(
    model: LinearACE, members: int, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, name)
    coefficients = drawn(model, members)
    committee = CompiledCommittee(model.basis, coefficients)
    singles = [CompiledSum.of([LinearACE(model.basis, one)]) for one in coefficients]
    for graph in graphs(model)[::2]:
        together = committee.evaluate(graph, EVERYTHING)
        for m, single in enumerate(singles):
            assert single is not None
            expected, found = single.evaluate(graph, EVERYTHING)[0], together.member(m)
            for field in FIELDS:
                right, value = getattr(expected, field), getattr(found, field)
                finite = np.isfinite(right)
                assert value.shape == right.shape
                assert np.array_equal(finite, np.isfinite(value))
                scale = np.abs(right[finite]).max(initial=0.0) + 0.1
                assert np.abs(value[finite] - right[finite]).max(initial=0.0) <= 1e-12 * scale, (field, m)


def test_energies_alone_are_those_that_come_with_forces() -> None:
    model = EXPANSIONS["two species"]
    committee = CompiledCommittee(model.basis, drawn(model, 5))
    for graph in graphs(model):
        found = committee.evaluate(graph, Want())
        expected = committee.evaluate(graph, Want(forces=True))
        assert found.forces is None
        assert np.abs(found.energies - expected.energies).max() <= 1e-12 * (np.abs(expected.energies).max() + 0.1)


@pytest.mark.parametrize("name", instruction_sets())
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_members_do_not_depend_on_the_number_of_threads(
    name: str, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, name)
    model = EXPANSIONS["two species"]
    graph = neighbor_graph(Batch.from_atoms(packing([8, 14], (5, 5, 5), length=2.4, seed=1), dtype=dtype), model.cutoff)
    committee = CompiledCommittee(model.basis, drawn(model, 4))
    found: list[CommitteeEvaluation] = []
    for threads in (1, 2, 5):
        monkeypatch.setattr(torch, "get_num_threads", lambda threads=threads: threads)
        found.append(committee.evaluate(graph, EVERYTHING))

    for other in found[1:]:
        assert all(np.array_equal(getattr(found[0], field), getattr(other, field)) for field in FIELDS)


def test_single_precision_is_close() -> None:
    model = EXPANSIONS["two species"]
    committee = CompiledCommittee(model.basis, drawn(model, 3))
    for graph in graphs(model):
        exact = committee.evaluate(graph, Want(forces=True))
        single = committee.evaluate(graph.on(graph.batch.to(dtype=torch.float32)), Want(forces=True))
        assert exact.forces is not None
        assert single.forces is not None
        assert np.abs(exact.forces - single.forces).max() <= 1e-4 * (np.abs(exact.forces).max() + 0.1)


def plan(members: int) -> Plan:
    model = EXPANSIONS["one factor"]
    layout = Layout.of(model.basis)
    return expansion_plan(
        model.basis, layout, committee_programs(model.basis, drawn(model, 2), layout), members=members
    )


def test_coefficients_of_another_number_of_members_are_refused() -> None:
    Evaluator(plan(2))
    for members in (-1, 0, 1, 3, 2000):
        with pytest.raises(ValueError, match=r"members|rows stand in blocks"):
            Evaluator(plan(members))

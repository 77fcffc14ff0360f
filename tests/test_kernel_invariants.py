"""The compiled invariants, and forces of functions of them, against automatic differentiation of the reference."""

from typing import Any

import numpy as np
import pytest
import torch
from made_plans import WRONG_TABLES, smallest_plan, smallest_table
from made_potentials import made_ace
from random_expansions import random_expansion
from torch import Tensor

from adiabat.kernels import _core
from adiabat.kernels.ace import INSTRUCTION_SET_VARIABLE, Want, instruction_sets
from adiabat.kernels.ace_invariants import compiled_table
from adiabat.models import LinearACE
from adiabat.models.ace.compiled_invariants import CompiledInvariants
from adiabat.neighbors import neighbor_graph
from adiabat.potential.compiled import CompiledSum
from adiabat.system import Batch, Graph
from adiabat.testing.structures import contract_cases, default_length, packing

THREE = (8, 14, 26)

EXPANSIONS = {
    "two species": made_ace(),
    "six factors": random_expansion([14], limits=(3, 4, 3, 3, 2, 2), l_limits=(0, 2, 2, 1, 1, 1)),
    "mixed channels, contracted": random_expansion(THREE, mixed=True, contracted=True, limits=(4, 4, 3)),
    "one factor": random_expansion([14], limits=(6,), l_limits=(0,)),
    "high degree": random_expansion([14], limits=(2, 9), l_limits=(0, 9)),
}


def graphs(model: LinearACE) -> list[Graph]:
    cases = contract_cases(model.species, length=default_length(model.species))
    return [neighbor_graph(Batch.from_atoms(case.atoms), model.cutoff + 0.3) for case in cases]


def readout(invariants: Tensor) -> Tensor:
    """(N,): an energy that no sum of invariants is."""
    weight = torch.linspace(-1, 1, invariants.shape[1], dtype=invariants.dtype)
    return torch.tanh(0.1 * invariants @ weight) + 0.01 * (1 + (invariants @ weight.flip(0)).square()).sqrt()


def derivatives(invariants: Tensor) -> Tensor:
    given = invariants.detach().requires_grad_()
    return torch.autograd.grad(readout(given).sum(), given)[0]


@pytest.mark.parametrize("name", instruction_sets())
@pytest.mark.parametrize("model", EXPANSIONS.values(), ids=EXPANSIONS)
def test_invariants_and_forces_of_a_readout_are_those_of_the_reference(
    model: LinearACE, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(INSTRUCTION_SET_VARIABLE, name)
    kernel = CompiledInvariants(model.basis)
    for graph in graphs(model):
        positions = graph.batch.positions.clone().requires_grad_()
        strain = torch.zeros(3, 3, dtype=torch.float64, requires_grad=True)
        deformed = graph.batch.replace(
            positions=positions + positions @ strain, cell=graph.batch.cell + graph.batch.cell @ strain
        )
        expected = model.features(graph.on(deformed))
        by_position, by_strain = torch.autograd.grad(readout(expected).sum(), (positions, strain))

        values = kernel.values(graph)
        found = kernel.forces(graph, derivatives(values), Want(virial=True))

        assert (values - expected).abs().max() <= 1e-12 * (expected.abs().max() + 0.1)
        assert found.forces is not None
        assert found.virial is not None
        assert np.abs(found.forces + by_position.numpy()).max() <= 1e-11 * (by_position.abs().max().item() + 0.1)
        virial = found.virial[0]
        symmetric = 0.5 * (by_strain + by_strain.T).numpy()
        assert np.abs(virial - symmetric).max() <= 1e-11 * (np.abs(symmetric).max() + 1)


def test_features_of_a_model_come_from_the_kernel_unless_they_are_differentiated() -> None:
    model = EXPANSIONS["two species"]
    graph = graphs(model)[0]
    positions = graph.batch.positions.clone().requires_grad_()

    by_reference = model.features(graph.on(graph.batch.replace(positions=positions)))

    assert torch.equal(model.features(graph), CompiledInvariants(model.basis).values(graph))
    assert by_reference.requires_grad
    assert (model.features(graph) - by_reference).abs().max() <= 1e-12 * (by_reference.abs().max() + 0.1)


def test_a_linear_readout_is_the_fused_one() -> None:
    model = EXPANSIONS["mixed channels, contracted"]
    fused = CompiledSum.of([model])
    assert fused is not None
    want = Want(forces=True, virial=True, atomic_virials=True)
    graph = graphs(model)[0]
    index = torch.searchsorted(torch.tensor(model.species), graph.batch.numbers)

    expected = fused.evaluate(graph, want)[0]
    found = CompiledInvariants(model.basis).forces(graph, model.coefficients[index], want)

    for field in ("forces", "virial", "atomic_virials"):
        one, other = getattr(expected, field), getattr(found, field)
        assert np.abs(one - other).max() <= 1e-12 * (np.abs(one).max() + 0.1)


@pytest.mark.parametrize("name", instruction_sets())
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_invariants_and_forces_do_not_depend_on_the_number_of_threads(
    name: str, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(INSTRUCTION_SET_VARIABLE, name)
    model = EXPANSIONS["two species"]
    graph = neighbor_graph(Batch.from_atoms(packing([8, 14], (5, 5, 5), length=2.4, seed=1), dtype=dtype), model.cutoff)
    kernel = CompiledInvariants(model.basis)
    found = []
    for threads in (1, 2, 5):
        monkeypatch.setattr(torch, "get_num_threads", lambda threads=threads: threads)
        values = kernel.values(graph)
        forces = kernel.forces(graph, derivatives(values), Want(virial=True, atomic_virials=True))
        found.append((values.numpy(), forces.forces, forces.virial, forces.atomic_virials))

    for other in found[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(found[0], other, strict=True))


def test_single_precision_is_close_and_single() -> None:
    for model in EXPANSIONS.values():
        kernel = CompiledInvariants(model.basis)
        for graph in graphs(model)[::3]:
            exact = kernel.values(graph)
            single = kernel.values(graph.on(graph.batch.to(dtype=torch.float32)))
            assert single.dtype == torch.float32
            assert (single - exact).abs().max() <= 1e-4 * (exact.abs().max() + 0.1)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (lambda right: right[:-1], "one row for each atom"),
        (lambda right: right[:, :-1], "one column for each function"),
        (lambda right: right * np.nan, "derivatives by the invariants must be finite"),
    ],
)
def test_derivatives_that_do_not_fit_are_refused(given: Any, message: str) -> None:
    model = EXPANSIONS["one factor"]
    graph = graphs(model)[0]
    right = torch.ones(graph.batch.n_atoms, model.basis.n_functions, dtype=torch.float64)

    with pytest.raises(ValueError, match=message):
        CompiledInvariants(model.basis).forces(graph, given(right), Want())


def test_what_is_refused_here_is_accepted_when_it_is_right() -> None:
    found = _core.InvariantEvaluator(smallest_plan(), compiled_table(smallest_table()))

    assert isinstance(found, _core.InvariantEvaluator)


@pytest.mark.parametrize("change", WRONG_TABLES.values(), ids=WRONG_TABLES)
def test_tables_that_lead_out_of_memory_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        _core.InvariantEvaluator(smallest_plan(), compiled_table(smallest_table(**change)))

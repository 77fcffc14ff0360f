"""Networks on invariants: the contract, the compiled walk against the readable reference, what holds by construction."""

from typing import Any

import numpy as np
import pytest
import torch
from made_networks import RADII, SMALL, drawn_network, made_network
from made_plans import smallest_plan, smallest_table
from made_potentials import made_ace, made_potential
from narrowing import present

from adiabat.kernels import _core
from adiabat.kernels.ace import INSTRUCTION_SET_VARIABLE, instruction_sets
from adiabat.kernels.ace_invariants import compiled_table
from adiabat.models import IsolatedAtoms
from adiabat.models.network import Inputs, InvariantNetwork, Perceptron
from adiabat.neighbors import neighbor_graph
from adiabat.potential import Potential, describe_potential
from adiabat.potential.compiled_network import CompiledNetwork
from adiabat.potential.derivatives import predict
from adiabat.system import Batch, DifferentiatingModel, EnergyModel
from adiabat.testing import check_energy_model, check_potential
from adiabat.testing.structures import contract_cases, default_length

WANT = ("energies", "forces", "atomic_virials")


def whole_potential() -> Potential:
    """With isolated atoms and repulsion."""
    constants, repulsion, _ = made_potential().parts
    return Potential([constants, repulsion, made_ace(), made_network()])


def test_a_network_keeps_the_contract_of_energy_models() -> None:
    check_energy_model(made_network(), radii=RADII)


def test_a_network_on_repulsion_and_isolated_atoms_keeps_the_contract_of_potentials() -> None:
    check_potential(whole_potential(), radii=RADII)


@pytest.mark.parametrize("name", instruction_sets())
@pytest.mark.parametrize(
    ("hidden", "others"),
    [((6, 5), []), ((1,), [SMALL]), ((9, 4, 3), [made_ace()])],
    ids=["alone", "an expansion in the same invariants", "an expansion in others"],
)
def test_the_compiled_walk_gives_what_the_reference_defines(
    name: str, hidden: tuple[int, ...], others: list[EnergyModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(INSTRUCTION_SET_VARIABLE, name)
    network = drawn_network(hidden=hidden)
    potential = Potential([*made_potential().parts[:2], *others, network])
    compiled = present(CompiledNetwork.of(potential.parts))
    cases = contract_cases(network.species, length=default_length(network.species))
    graph = neighbor_graph(Batch.from_atoms([case.atoms for case in cases]), potential.cutoff + 0.3)

    found, expected = compiled.predict(graph, WANT), predict(potential.atomic_energies, graph, WANT)

    for quantity in WANT:
        one, other = (present(getattr(prediction, quantity)) for prediction in (found, expected))
        assert (one - other).abs().max() <= 1e-11 * (other.abs().max() + 1)


def test_single_precision_is_close() -> None:
    network = drawn_network()
    compiled = present(CompiledNetwork.of([network]))
    cases = contract_cases(network.species, length=default_length(network.species))
    batch = Batch.from_atoms([case.atoms for case in cases])
    exact, single = (
        present(compiled.predict(neighbor_graph(one, network.cutoff), ("forces",)).forces)
        for one in (batch, batch.to(dtype=torch.float32))
    )
    assert single.dtype == torch.float32
    assert (single - exact).abs().max() <= 1e-4 * exact.abs().max()


def test_a_sum_of_two_networks_is_left_to_the_reference() -> None:
    network = made_network()
    assert CompiledNetwork.of([network, network]) is None


def test_an_atom_without_neighbours_has_the_energy_of_the_isolated_atom() -> None:
    constants = IsolatedAtoms({8: -432.0, 14: -158.5}, "data", 4.0)
    far = Batch(
        positions=torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, 50.0]], dtype=torch.float64),
        cell=torch.zeros(1, 3, 3, dtype=torch.float64),
        pbc=torch.zeros(1, 3, dtype=torch.bool),
        numbers=torch.tensor([8, 14]),
        system=torch.zeros(2, dtype=torch.int64),
    )
    found = present(Potential([constants, drawn_network()])(far, want=("energies",)).energies)
    np.testing.assert_allclose(found.numpy(), [-432.0, -158.5], rtol=0, atol=1e-10)


def test_a_silent_network_adds_nothing() -> None:
    ace = made_ace()
    shape = (2, 3, ace.basis.n_functions)
    inputs = Inputs(torch.zeros(2, shape[2], dtype=torch.float64), torch.rand(shape, dtype=torch.float64))
    perceptrons = [Perceptron(3, (4,), silent=True, generator=torch.Generator()) for _ in range(2)]
    network = InvariantNetwork(ace.basis, inputs, perceptrons, scale_ev=1.0).requires_grad_(False)
    batch = Batch.from_atoms([case.atoms for case in contract_cases((8, 14), length=1.6)])
    one, other = (present(Potential(parts)(batch).forces) for parts in ([ace, network], [ace]))
    assert (one - other).abs().max() <= 1e-11 * (other.abs().max() + 1)


def test_it_can_be_trained_and_moving_it_leaves_it_as_it_is() -> None:
    network = drawn_network()
    assert isinstance(network, DifferentiatingModel)
    single = network.to(dtype=torch.float32)
    assert {parameter.dtype for parameter in single.parameters()} == {torch.float32}
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float64}


def test_its_description_says_what_it_is_made_of() -> None:
    part = describe_potential(whole_potential()).parts[3]
    assert part.kind == "invariant_network"
    assert "hidden layers of 11, 6 on 9 combinations" in part.details
    assert part.parameters == 2 * (9 + 9 * 11 + 11 + 11 * 6 + 6 + 6)


SOUND: dict[str, Any] = {
    "width": np.array([1, 2], dtype=np.int32),
    "weight": np.ones(2),
    "bias": np.zeros(2),
    "linear": np.ones(1),
    "readout": np.ones(2),
    "shift": 0.0,
}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"width": np.array([1], dtype=np.int32)}, "hidden layer"),
        ({"width": np.array([1, 0], dtype=np.int32)}, "between 1 and 65536"),
        ({"width": np.array([7, 2], dtype=np.int32)}, "begins with the invariants"),
        ({"linear": np.ones(7)}, "begins with the invariants"),
        ({"weight": np.ones(3)}, "those of the layers"),
        ({"bias": np.ones(3)}, "those of the layers"),
        ({"readout": np.ones(1)}, "those of the layers"),
        ({"weight": np.array([1.0, np.nan])}, "finite"),
        ({"shift": np.inf}, "finite"),
    ],
)
def test_networks_that_lead_out_of_memory_are_refused(change: dict[str, Any], said: str) -> None:
    functions = smallest_table().functions
    sound: dict[str, Any] = SOUND | {"linear": np.ones(functions), "weight": np.ones(2 * functions)}
    sound["width"] = np.array([functions, 2], dtype=np.int32)
    plan, table = smallest_plan(), compiled_table(smallest_table())
    assert isinstance(_core.NetworkEvaluator(plan, table, [_core.Network(**sound)]), _core.NetworkEvaluator)
    with pytest.raises(ValueError, match=said):
        _core.NetworkEvaluator(plan, table, [_core.Network(**sound | change)])
    with pytest.raises(ValueError, match="every species has a network"):
        _core.NetworkEvaluator(plan, table, [])

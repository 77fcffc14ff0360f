"""Networks on invariants: the contract, and what holds by construction."""

import numpy as np
import torch
from made_networks import RADII, drawn_network, made_network
from made_potentials import made_ace, made_potential
from narrowing import present

from adiabat.models import IsolatedAtoms
from adiabat.models.network import Inputs, InvariantNetwork, Perceptron
from adiabat.potential import Potential, describe_potential
from adiabat.potential.compiled_network import CompiledNetwork
from adiabat.system import Batch, DifferentiatingModel
from adiabat.testing import check_energy_model, check_potential
from adiabat.testing.structures import contract_cases


def whole_potential() -> Potential:
    """With isolated atoms and repulsion."""
    constants, repulsion, _ = made_potential().parts
    return Potential([constants, repulsion, made_ace(), made_network()])


def test_a_network_keeps_the_contract_of_energy_models() -> None:
    check_energy_model(made_network(), radii=RADII)


def test_a_network_on_repulsion_and_isolated_atoms_keeps_the_contract_of_potentials() -> None:
    check_potential(whole_potential(), radii=RADII)


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

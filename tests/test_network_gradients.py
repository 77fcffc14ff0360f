"""Gradients of losses on forces and stresses by a network's parameters, against double differentiation of the reference."""

from typing import cast

import pytest
import torch
from made_networks import drawn_network
from torch import Tensor

from adiabat.models.network import InvariantNetwork
from adiabat.models.network.tangents import Surroundings
from adiabat.neighbors import neighbor_graph
from adiabat.system import Batch, Differentiated, Graph
from adiabat.testing.structures import packing


def graph_of(model: InvariantNetwork) -> Graph:
    structures = [packing(model.species, (1, 2, 2), length=2.0, seed=seed) for seed in (1, 2)]
    return neighbor_graph(Batch.from_atoms(structures), model.cutoff)


def twice_differentiated(model: InvariantNetwork, graph: Graph) -> Differentiated:
    """By the readable reference."""
    positions = graph.batch.positions.clone().requires_grad_()
    strain = torch.zeros_like(graph.batch.cell).requires_grad_()
    energies = model.atomic_energies(graph.on(graph.batch.strained(positions, strain)))
    by_position, by_strain = torch.autograd.grad(energies.sum(), (positions, strain), create_graph=True)
    return Differentiated(energies, -by_position, by_strain)


def loss(found: Differentiated) -> Tensor:
    assert found.forces is not None
    assert found.virial is not None
    weights = torch.linspace(0.5, 2.0, found.forces.numel(), dtype=torch.float64).reshape(found.forces.shape)
    return (weights * found.forces).sin().sum() + found.energies.square().sum() + found.virial.square().sum()


@pytest.mark.parametrize("kernel", [True, False], ids=["compiled", "reference"])
def test_gradients_are_those_of_the_reference_differentiated_twice(
    kernel: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = drawn_network()
    graph = graph_of(model)
    parameters = list(model.parameters())
    expected = torch.autograd.grad(loss(twice_differentiated(model, graph)), parameters)
    if not kernel:
        monkeypatch.setattr(
            "adiabat.models.ace.compiled_invariants.CompiledInvariants.serves", lambda self, graph: False
        )

    found = torch.autograd.grad(loss(model.differentiated(graph, forces=True, virial=True)), parameters)

    for one, other in zip(found, expected, strict=True):
        assert (one - other).abs().max() <= 1e-8 * other.abs().max()


def test_the_change_of_the_invariants_is_their_directional_derivative() -> None:
    model = drawn_network()
    graph = graph_of(model)
    generator = torch.Generator().manual_seed(3)
    displacement = torch.randn(graph.batch.positions.shape, generator=generator, dtype=torch.float64)
    strain = torch.randn(graph.batch.cell.shape, generator=generator, dtype=torch.float64)
    strain = 0.5 * (strain + strain.transpose(1, 2))

    def features(step: Tensor) -> Tensor:
        moved = graph.batch.positions + step * displacement
        return model.invariants(graph.on(graph.batch.strained(moved, step * strain)))

    zero, one = torch.zeros((), dtype=torch.float64), torch.ones((), dtype=torch.float64)
    expected = cast(Tensor, torch.autograd.functional.jvp(features, zero, one)[1])
    found = Surroundings(model.kernel, graph).change(displacement, strain)

    # (1 + h ε)(x + h u) and x + h (u + x ε) differ in the second order alone.
    assert (found - expected).abs().max() <= 1e-8 * expected.abs().max()
    assert not Surroundings(model.kernel, graph).change(0 * displacement, 0 * strain).any()

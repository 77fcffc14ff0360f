"""Message passing: its harmonics, its symmetries, its derivatives, and what it must not see."""

import math
from typing import Any, cast

import numpy as np
import pytest
import torch
from made_messages import BINDING_EV, LENGTH, SPECIES, made_messages, messages_graph
from torch import Tensor

from adiabat.basis.angular import real_spherical_harmonics
from adiabat.errors import ConfigurationError
from adiabat.models import MessagePassing
from adiabat.models.messages.blocks import BlockEvaluator
from adiabat.models.messages.compiled import CompiledFunctions
from adiabat.models.messages.harmonics import Harmonics
from adiabat.models.messages.radial import bound, envelope
from adiabat.neighbors import neighbor_graph
from adiabat.physics import ZBL
from adiabat.potential import Potential, load_potential
from adiabat.system import Batch, Differentiated, Graph, restore
from adiabat.testing import check_energy_model
from adiabat.testing.structures import contract_cases, random_rotation, transformed


@pytest.mark.parametrize(
    "shape",
    [
        {"layers": 1},
        {"layers": 2, "vector_channels": 0},
        {"layers": 2, "vector_channels": 2},
        {"layers": 3, "vector_channels": 1, "l_max": 1},
    ],
    ids=str,
)
def test_message_passing_keeps_the_contract_of_an_energy_model(shape: dict[str, Any]) -> None:
    check_energy_model(made_messages(**shape), length=LENGTH)


def test_harmonics_are_those_of_the_basis() -> None:
    directions = torch.randn(40, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    directions = directions / directions.norm(dim=-1, keepdim=True)

    found = Harmonics(5).double()(directions.reshape(8, 5, 3))

    expected = math.sqrt(4 * math.pi) * real_spherical_harmonics(directions, 5)
    assert torch.allclose(found.reshape(40, -1), expected, rtol=0, atol=1e-13)


def test_the_envelope_falls_from_one_to_zero_with_three_derivatives() -> None:
    x = torch.tensor([0.0, 5.0, 6.0], dtype=torch.float64, requires_grad=True)
    values = envelope(x, 5.0)
    assert values.tolist() == [1.0, 0.0, 0.0]
    for _ in range(3):
        (values,) = torch.autograd.grad(values.sum(), x, create_graph=True)
        assert torch.allclose(values, torch.zeros(3, dtype=torch.float64), atol=1e-12)


def test_a_bound_atom_has_the_mean_energy_of_its_element_and_a_lone_one_none() -> None:
    near, nowhere = torch.full((1, 4, 1), 1.5, dtype=torch.float64), torch.full((1, 4, 1), 6.0, dtype=torch.float64)

    assert float(bound(near, 5.0)) == pytest.approx(1.0, abs=1e-4)
    assert float(bound(nowhere, 5.0)) == 0.0
    model = made_messages()
    with torch.no_grad():
        model.readout.zero_()
    batch = Batch.from_atoms(contract_cases(SPECIES, length=1.8)[0].atoms)
    index = (batch.numbers == SPECIES[1]).long()
    with torch.no_grad():
        energies = model.atomic_energies(neighbor_graph(batch, model.cutoff))
    assert torch.allclose(energies, BINDING_EV.double()[index], atol=1e-6)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-12)])
def test_energies_and_forces_turn_with_the_atoms(dtype: torch.dtype, tolerance: float) -> None:
    potential = Potential([made_messages()]).to(dtype=dtype)
    atoms = contract_cases(SPECIES, length=LENGTH)[0].atoms
    rng = np.random.default_rng(4)
    for matrix in (random_rotation(rng), random_rotation(rng) @ np.diag([1.0, 1.0, -1.0])):
        order = rng.permutation(len(atoms))
        moved = transformed(atoms, matrix)[order]
        moved.positions += [1.0, -2.0, 0.5]
        before, after = (predicted(potential, one) for one in (atoms, moved))

        turned = before[1] @ torch.tensor(matrix)
        assert float((after[0] - before[0][order]).abs().max()) < tolerance
        assert float((after[1] - turned[order]).abs().max()) < tolerance * max(float(before[1].abs().max()), 1.0)


def predicted(potential: Potential, atoms: Any) -> tuple[Tensor, Tensor]:
    """Energies and forces."""
    found = potential(Batch.from_atoms(atoms, dtype=potential.dtype), want=("energies", "forces"))
    return cast(Tensor, found.energies).double(), cast(Tensor, found.forces).double()


@pytest.mark.parametrize("shape", [{"layers": 1}, {"layers": 2}, {"layers": 3}], ids=str)
@pytest.mark.parametrize("block", [1, 7, 43])
def test_blocks_of_any_size_give_what_all_atoms_together_give(shape: dict[str, Any], block: int) -> None:
    model, graph = made_messages(**shape), messages_graph()
    expected = model.differentiated(graph, forces=True, virial=True)
    evaluator = BlockEvaluator(model, block=block)

    found = evaluator(graph, forces=True, virial=True)

    require_equal(found, expected)
    assert torch.allclose(evaluator(graph, forces=False, virial=False).energies, found.energies, rtol=0, atol=1e-13)


def require_equal(found: Differentiated, expected: Differentiated) -> None:
    for name in ("energies", "forces", "virial"):
        one, other = (cast(Tensor, getattr(each, name)).detach() for each in (found, expected))
        assert float((one - other).abs().max()) < 1e-12 * (1 + float(other.abs().max())), name


def test_a_loss_on_forces_and_virials_has_the_gradient_of_finite_differences() -> None:
    model, graph = made_messages(), small_graph()
    loss_of(model, graph).backward()

    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        direction = torch.randn_like(parameter)
        ends = []
        for step in (2e-5, -2e-5):
            moved = made_messages()
            with torch.no_grad():
                dict(moved.named_parameters())[name].add_(step * direction)
            ends.append(float(loss_of(moved, graph).detach()))
        expected = (ends[0] - ends[1]) / 4e-5
        assert float((parameter.grad * direction).sum()) == pytest.approx(expected, rel=1e-5, abs=1e-7), name


def small_graph() -> Graph:
    cases = contract_cases(SPECIES, length=LENGTH)
    return neighbor_graph(Batch.from_atoms([cases[0].atoms, cases[-1].atoms]), 4.0)


def loss_of(model: MessagePassing, graph: Graph) -> Tensor:
    found = model.differentiated(graph, forces=True, virial=True)
    forces, virial = cast(Tensor, found.forces), cast(Tensor, found.virial)
    return (3 * forces).sin().sum() + found.energies.square().sum() + virial.square().sum()


def test_another_type_and_back_rounds_parameters_and_nothing_else() -> None:
    model = made_messages()
    rounded = model.to(dtype=torch.float32)

    back, stored = rounded.to(dtype=torch.float64), cast(MessagePassing, restore(rounded.to_state()))

    assert next(model.parameters()).dtype == torch.float64
    graph = small_graph()
    assert torch.equal(back.atomic_energies(graph), stored.atomic_energies(graph))


def test_a_sum_with_message_passing_is_the_sum_of_its_parts(tmp_path: Any) -> None:
    repulsion = ZBL({(8, 8): (0.5, 2.2), (8, 14): (0.7, 2.5), (14, 14): (1.0, 2.9)})
    model, atoms = made_messages(), contract_cases(SPECIES, length=2.0)[0].atoms
    potential = Potential([repulsion, model])
    potential.save(tmp_path / "sum.adiabat", canaries=[atoms])
    want = ("energy", "energies", "forces", "stress")

    found = load_potential(tmp_path / "sum.adiabat")(atoms, want=want)

    parts = [Potential([part])(atoms, want=want) for part in (repulsion, model)]
    for name in want:
        one, other = (cast(Tensor, getattr(part, name)) for part in parts)
        assert float(one.abs().max()) > 0
        assert torch.allclose(cast(Tensor, getattr(found, name)), one + other, rtol=1e-12, atol=1e-13), name


def test_compiling_what_is_compiled_already_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="parts are zbl"):
        Potential([ZBL({(8, 8): (0.5, 2.2)})]).compiled()


@pytest.mark.slow
def test_traced_functions_give_what_the_layers_give_for_any_number_of_atoms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", lambda traced, **_: traced)
    model = made_messages()
    evaluator = BlockEvaluator(model, made=CompiledFunctions, block=5)
    cases = contract_cases(SPECIES, length=LENGTH)
    for atoms in (cases[0].atoms, cases[0].atoms * (3, 1, 1), cases[5].atoms, cases[-1].atoms):
        graph = neighbor_graph(Batch.from_atoms(atoms), model.cutoff)

        require_equal(evaluator(graph, forces=True, virial=True), model.differentiated(graph, forces=True, virial=True))


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_compiled_functions_give_what_the_layers_give() -> None:
    potential = Potential([made_messages()])
    atoms = contract_cases(SPECIES, length=LENGTH)[0].atoms

    expected, found = (one(atoms, want=("energies", "forces")) for one in (potential, potential.compiled()))

    for name in ("energies", "forces"):
        one, other = (cast(Tensor, getattr(each, name)) for each in (found, expected))
        assert float((one - other).abs().max()) < 1e-12 * (1 + float(other.abs().max()))

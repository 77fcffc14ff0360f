"""The compiled walk with networks on the invariants: against the readable reference, and what it refuses."""

from typing import Any

import numpy as np
import pytest
import torch
from made_networks import SMALL, drawn_network
from made_plans import smallest_plan, smallest_table
from made_potentials import made_ace, made_potential
from narrowing import present

from adiabat.kernels import _core
from adiabat.kernels.ace import INSTRUCTION_SET_VARIABLE, instruction_sets
from adiabat.kernels.ace_invariants import compiled_table
from adiabat.neighbors import neighbor_graph
from adiabat.potential import Potential
from adiabat.potential.compiled_network import CompiledNetwork
from adiabat.potential.derivatives import predict
from adiabat.system import Batch, EnergyModel
from adiabat.testing.structures import contract_cases, default_length

WANT = ("energies", "forces", "atomic_virials")


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

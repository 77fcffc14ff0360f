"""Several levels of theory: one trunk, a head for each, and a potential of one of them."""

from dataclasses import replace
from pathlib import Path

import ase.io
import numpy as np
import pytest
import torch
from made_messages import SPECIES, made_messages, messages_graph
from made_networks import made_network
from narrowing import present
from training_structures import ISOLATED_EV, cells, isolated_silicon, labelled_cells

from adiabat.data import fingerprint, read
from adiabat.errors import ConfigurationError, DataError
from adiabat.evaluation import evaluate
from adiabat.models.heads import Heads
from adiabat.system import Labelled, Labels
from adiabat.training import TrainConfig
from adiabat.training.levels import by_level
from adiabat.training.train import train

CONFIG = {
    "model": "network",
    "basis": {"cutoff_angstrom": 4.0},
    "network": {"start": "random", "inputs": 30, "hidden": [8]},
    "repulsion": {"enabled": False},
    "gradient": {"epochs": 40, "batch_atoms": 64},
}
OFFSET_EV = 400.0
"""Of an atom at the cheap level."""


def dear(count: int, first_seed: int = 0) -> list[Labelled]:
    return [replace(one, level="dear") for one in labelled_cells(count, first_seed=first_seed)]


def cheap(count: int) -> list[Labelled]:
    """All energies, forces and stresses a tenth larger, and counted from elsewhere."""
    found = []
    for one in labelled_cells(count, first_seed=200):
        energy, atoms = present(one.labels.energy), len(one.atoms)
        bound = 1.1 * (energy - atoms * ISOLATED_EV) + atoms * (ISOLATED_EV + OFFSET_EV)
        labels = Labels(bound, 1.1 * present(one.labels.forces), 1.1 * present(one.labels.stress))
        found.append(replace(one, labels=labels, level="cheap"))
    return found


def lone(level: str, energy: float) -> Labelled:
    return replace(isolated_silicon(), labels=Labels(energy=energy), level=level)


LONE = [lone("dear", ISOLATED_EV), lone("cheap", ISOLATED_EV + OFFSET_EV)]


def configured(**data: object) -> TrainConfig:
    return TrainConfig.parse({**CONFIG, "data": data})


def test_labels_of_another_level_teach_what_both_have_in_common() -> None:
    few, tested = dear(8), dear(8, first_seed=500)
    alone = train([*few, LONE[0]], configured(), quiet=True)
    together = train([*few, *cheap(40), *LONE], configured(level="dear"), quiet=True)
    errors = [present(evaluate(p, tested, quiet=True).force_mae_ev_per_angstrom) for p in (alone, together)]
    assert errors[1] < 0.7 * errors[0]
    assert together.metadata["data"]["level"] == "dear"
    assert together.metadata["data"]["structures_of_other_levels"] == {"cheap": 41}
    energy = float(present(together(tested[0].atoms, want=("energy",)).energy)[0])
    assert abs(energy - present(tested[0].labels.energy)) < 5.0  # not 400 eV an atom off


@pytest.mark.parametrize(
    ("structures", "data", "error", "said"),
    [
        ([*dear(3), *cheap(3)], {}, ConfigurationError, "no level is chosen; the data have cheap, dear"),
        ([*dear(3), *cheap(3)], {"level": "best"}, ConfigurationError, "data.level is best"),
        ([*dear(3), *labelled_cells(1)], {"level": "dear"}, DataError, "names no level of theory"),
    ],
)
def test_levels_that_are_not_told_apart_are_refused(
    structures: list[Labelled], data: dict[str, str], error: type[Exception], said: str
) -> None:
    with pytest.raises(error) as caught:
        by_level(structures, configured(**data))
    assert said in str(caught.value)


def test_a_linear_fit_of_several_levels_is_refused() -> None:
    config = TrainConfig.parse({"data": {"level": "dear"}})
    with pytest.raises(ConfigurationError, match="a linear fit learns one level"):
        by_level([*dear(3), *cheap(3)], config)
    assert by_level(dear(3), config)[1] == {}


def test_a_level_is_read_from_its_key_and_counts_in_the_fingerprint(tmp_path: Path) -> None:
    [atoms] = cells(1)
    atoms.info |= {"REF_energy": -1.0, "level_of_theory": "PBE0"}
    ase.io.write(tmp_path / "data.xyz", atoms, format="extxyz")
    [found] = read(tmp_path / "data.xyz", quiet=True)
    assert found.level == "PBE0"
    assert fingerprint([found]) != fingerprint([replace(found, level=None)])


@pytest.mark.parametrize("made", [made_network, made_messages])
def test_heads_share_all_but_the_last_layer(made) -> None:
    heads = Heads(made().requires_grad_(True), ("other",))
    main, other = heads.of_level(None), heads.of_level("other")
    shared = {id(p) for p in main.parameters()} & {id(p) for p in other.parameters()}
    own = [name for name, p in main.named_parameters() if id(p) not in shared]
    assert own
    assert all(name.endswith(("readout", "direct")) for name in own)
    graph = messages_graph()
    with torch.no_grad():
        for name, parameter in other.named_parameters():
            if name in own:
                parameter.mul_(2.0)
        changed = other.atomic_energies(graph) - main.atomic_energies(graph)
    assert float(changed.abs().max()) > 1e-6
    again = heads.to(dtype=torch.float64)
    np.testing.assert_array_equal(
        again.of_level("other").atomic_energies(graph).detach().numpy(), other.atomic_energies(graph).detach().numpy()
    )
    assert len(list(again.parameters())) == len(list(heads.parameters()))
    assert heads.species == SPECIES

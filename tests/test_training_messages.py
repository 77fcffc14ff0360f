"""Message passing is trained by the same command, on the same checks of the data."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from ase import Atoms
from torch import Tensor
from training_structures import labelled_cells, noisy, training_data

from adiabat.errors import ConfigurationError
from adiabat.models import MessagePassing
from adiabat.potential import Potential, load_potential
from adiabat.system import Labelled
from adiabat.training import TrainConfig, train
from adiabat.training.gradient.targets import Target
from adiabat.training.messages import loss_scales, mean_energies

SETTINGS: dict[str, Any] = {
    "model": "messages",
    "repulsion": {"outer_factor": 1.3},  # the labels'
    "messages": {
        "cutoff_angstrom": 4.0,
        "l_max": 2,
        "channels": 8,
        "edge_channels": 8,
        "vector_channels": 2,
        "hidden": 16,
        "radial_hidden": 8,
    },
    "gradient": {
        "epochs": 30,
        "batch_atoms": 16,
        "learning_rate": 2e-2,
        "average": 0.9,
        "validation_fraction": 0.4,
        "precision": "float32",
    },
}


def test_it_learns_and_is_stored(tmp_path: Path) -> None:
    structures = labelled_cells()

    potential = train(training_data(), TrainConfig.parse(SETTINGS), quiet=True)
    potential.save(tmp_path / "messages.adiabat")

    loaded = load_potential(tmp_path / "messages.adiabat")
    assert any(isinstance(part, MessagePassing) for part in loaded.parts)
    spread = np.std([s.labels.forces for s in structures if s.labels.forces is not None])
    assert force_error(loaded, structures) < 0.25 * spread


def force_error(potential: Potential, structures: Sequence[Labelled]) -> float:
    """eV/Å, root mean square."""
    labels = np.concatenate([s.labels.forces for s in structures if s.labels.forces is not None])
    errors = cast(Tensor, potential([s.atoms for s in structures]).forces).numpy() - labels
    return float(np.sqrt(np.square(errors).mean()))


def test_it_learns_what_a_linear_expansion_leaves() -> None:
    settings = SETTINGS | {
        "messages": {**SETTINGS["messages"], "start": "linear"},
        "gradient": {**SETTINGS["gradient"], "epochs": 2, "learning_rate": 1e-4},
        "basis": {"size": "small", "cutoff_angstrom": 4.0},
    }

    potential = train(noisy(training_data()), TrainConfig.parse(settings), quiet=True)

    kinds = [part.kind for part in potential.parts]
    assert kinds[-2:] == ["linear_ace", "message_passing"]
    structures = labelled_cells()
    alone = Potential(potential.parts[:-1])
    assert 0 < abs(force_error(potential, structures) - force_error(alone, structures)) < 0.02


def test_errors_are_counted_in_typical_forces() -> None:
    forces = np.full(12, 2.0)
    targets = [Target(Labelled(Atoms("H4")), None, sign * forces, None) for sign in (1, -1)]

    assert loss_scales(targets) == pytest.approx({"energy": 0.006, "forces": 0.2})
    assert loss_scales([Target(Labelled(Atoms("H4")), np.ones(1), None, None)]) == {}


def test_keys_without_effect_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"basis would have no effect with messages\.start=random"):
        TrainConfig.parse(SETTINGS | {"basis": {"size": "small"}})
    with pytest.raises(ConfigurationError, match="messages would have no effect with model=ace"):
        TrainConfig.parse({"messages": {"layers": 1}})


def test_mean_energies_are_those_of_the_elements_and_of_fixed_proportions_the_smallest() -> None:
    water, oxygen = Atoms("H2O"), Atoms("O2")

    assert np.allclose(mean_energies([water, oxygen], np.array([-10.0, -6.0]), (1, 8)), [-3.5, -3.0])
    assert np.allclose(mean_energies([water, water], np.array([-10.0, np.nan]), (1, 8)), [-4.0, -2.0])

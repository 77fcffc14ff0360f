"""Learning with networks: from the start structure to the last training, and what is refused."""

from pathlib import Path
from typing import Any

import pytest
from ase.build import bulk

from adiabat.errors import ConfigurationError
from adiabat.learning import LearnConfig, Oracle, learn

NETWORK: dict[str, Any] = {
    "model": "network",
    "basis": {"size": "small", "cutoff_angstrom": 4.0},
    "network": {"hidden": [4]},
    "gradient": {"epochs": 2, "batch_atoms": 64, "validation_fraction": 0.45},
    "repulsion": {"enabled": False},
}
RUN: dict[str, Any] = {
    "budget": 26,
    "first": 24,
    "squeezed": 0,
    "rebuild": 1,
    "force_std_ev_per_angstrom": 0.001,  # never sure
    "explore": {"explorers": 1, "steps": 100},
    "validation": None,
}


@pytest.mark.slow
def test_a_network_is_learned_with_each_training_from_the_beginning(tmp_path: Path) -> None:
    config = LearnConfig.parse({**RUN, "train": NETWORK})
    found = learn(
        [bulk("Cu", cubic=True)], Oracle.named("ase.calculators.emt:EMT"), config, folder=tmp_path / "run", quiet=True
    )
    assert found.why == "budget"
    assert [one.labels for one in found.generations][:2] == [24, 26]
    assert found.generations[0].new_force_std_ev_per_angstrom is not None


@pytest.mark.parametrize(
    ("run", "gradient", "said"),
    [
        ({"rebuild": 1.5}, {}, "set rebuild=1"),
        ({}, {"members": 3}, "which a committee lacks"),
        ({}, {"validation_fraction": 0.05}, "calibrated by 10 structures or more"),
    ],
)
def test_what_a_network_cannot_is_refused(run: dict[str, Any], gradient: dict[str, Any], said: str) -> None:
    train = {**NETWORK, "gradient": {**NETWORK["gradient"], **gradient}}
    with pytest.raises(ConfigurationError, match=said):
        LearnConfig.parse({**RUN, **run, "train": train})

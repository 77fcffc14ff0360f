"""Committees that are trained together: several descents on the same data."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from narrowing import present
from training_structures import cells, isolated_silicon, labelled_cells, noisy, write_structures

from adiabat.cli.app import run
from adiabat.evaluation import evaluate
from adiabat.models import Mean
from adiabat.potential import Potential, load_potential
from adiabat.potential.committee import own_committee
from adiabat.potential.description import describe_part
from adiabat.properties import propagate
from adiabat.training import TrainConfig
from adiabat.training.gradient.descent import Descent
from adiabat.training.train import fit

CONFIG = {
    "model": "network",
    "basis": {"size": "small", "cutoff_angstrom": 4.0},
    "network": {"inputs": 6, "hidden": [4]},
    "repulsion": {"enabled": False},
    "gradient": {"epochs": 6, "batch_atoms": 32, "members": 3, "learning_rate": 0.01},
}
"""Small, and without a repulsion, so that no time is spent on holes."""


@cache
def trained() -> Potential:
    return fit([*noisy(labelled_cells(44)), isolated_silicon()], TrainConfig.parse(CONFIG), quiet=True)


def test_its_members_stand_beside_the_expansion_that_they_share_and_differ() -> None:
    mean = trained().parts[-1]
    assert isinstance(mean, Mean)
    assert len(mean.members) == 3
    assert [len(member) for member in mean.members] == [1, 1, 1]
    committee = present(own_committee(trained()))
    [atoms] = cells(1, first_seed=50)
    each = torch.stack([present(one.forces) for one in committee.each(atoms)])
    assert float(each.std(0).min()) > 0
    torch.testing.assert_close(each.mean(0), present(trained()(atoms).forces), rtol=1e-9, atol=1e-10)


def test_a_description_says_what_it_is_the_mean_of() -> None:
    description = describe_part(trained().parts[-1])
    assert description.details.startswith("3 members, the first of them invariant_network (perceptrons")


def test_its_standard_deviations_are_calibrated_by_what_no_member_was_trained_on() -> None:
    calibration, record = present(trained().calibration)
    assert record["structures"] == trained().metadata["training"]["validation_structures"] == 10
    [atoms] = cells(1, first_seed=50)
    found = trained()(atoms, want=("energy_std", "energies_std", "forces_std", "stress_std"))
    members = present(own_committee(trained())).each(atoms, want=("forces", "energy"))
    raw = torch.stack([present(one.forces) for one in members]).std(0).numpy()
    expected = np.sqrt(calibration.misfit(raw**2, 0 * raw, "forces"))
    np.testing.assert_allclose(present(found.forces_std).numpy(), expected, rtol=1e-10)
    per_atom = torch.stack([present(one.energy) for one in members]).std(0).numpy() / len(atoms)
    expected = len(atoms) * np.sqrt(calibration.misfit(per_atom**2, 0 * per_atom, "energy"))
    np.testing.assert_allclose(present(found.energy_std).numpy(), expected, rtol=1e-10)


def test_its_error_bars_hold_the_errors_of_new_structures() -> None:
    found = evaluate(trained(), noisy(labelled_cells(20, first_seed=500)), quiet=True)
    forces = present(found.calibration).forces
    assert 0.5 < present(forces.coverage_68) < 0.85
    assert 0.85 < present(forces.coverage_95) <= 1.0


def test_a_property_gets_its_error_bar_from_the_members_also_after_loading(tmp_path: Path) -> None:
    trained().save(tmp_path / "p.adiabat")
    loaded = load_potential(tmp_path / "p.adiabat")
    assert present(loaded.calibration)[1] == present(trained().calibration)[1]
    [atoms] = cells(1, first_seed=50)
    want = lambda potential: float(potential(atoms, want=("energy",)).energy[0])  # noqa: E731
    found = propagate(want, loaded, quiet=True)
    assert found.members == 3
    energies = [want(member) for member in present(own_committee(trained())).members]
    stretch = present(trained().calibration)[0].widening ** 0.5
    [std] = [value for value in (found["value"].std,) if value is not None]
    assert float(std) == pytest.approx(stretch * np.std(energies), rel=1e-6)


def test_an_interrupted_committee_goes_on_to_the_same_members(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_structures(tmp_path / "train.xyz", [*noisy(labelled_cells(12)), isolated_silicon()])
    settings = {
        "network.start": "random",
        "basis.cutoff_angstrom": 4.0,
        "network.inputs": 4,
        "network.hidden": "[3]",
        "repulsion.enabled": "false",
        "gradient.epochs": 3,
        "gradient.members": 2,
    }
    sets = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    command = ["train", "train.xyz", "--model", "network", *sets]
    assert run([*command, "--out", "whole.adiabat"]) == 0
    assert {file.name for file in tmp_path.glob("*.csv")} == {
        "whole.adiabat.training.csv",
        "whole.adiabat.training.1.csv",
    }
    end_epoch, done = Descent._end_epoch, []

    def stopping(self: Descent, batches: int) -> None:
        end_epoch(self, batches)
        done.append(None)
        if len(done) == 4:
            self._stop()

    monkeypatch.setattr(Descent, "_end_epoch", stopping)
    assert run([*command, "--out", "again.adiabat"]) == 2
    assert run([*command, "--out", "again.adiabat", "--resume"]) == 0
    assert len(done) == 6
    [atoms] = cells(1, first_seed=50)
    forces = [present(load_potential(name)(atoms).forces) for name in ("whole.adiabat", "again.adiabat")]
    assert torch.equal(*forces)

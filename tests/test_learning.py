"""Learning from a structure and an oracle: copper, with ASE's EMT as the truth."""

import json
import os
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.io import write

import adiabat
from adiabat.cli.app import run
from adiabat.data import measure_distances
from adiabat.errors import ConfigurationError
from adiabat.learning import LabelStore, LearnConfig
from adiabat.learning.first_structures import around, first_structures, isolated_atoms, squeezed
from adiabat.system import Labelled

SETTINGS = {
    "budget": "18",
    "first": "14",
    "batch": "3",
    "squeezed": "0",
    "explore": "{explorers: 1, steps: 100}",
    "force_std_ev_per_angstrom": "0.001",  # never sure
    "train.basis": "{size: small, cutoff_angstrom: 4.0}",
    "validation": "null",
}


def arguments(folder: Path, **others: str) -> list[str]:
    write(folder / "start.xyz", bulk("Cu", cubic=True))
    settings = {**SETTINGS, **others}
    return [
        *("learn", str(folder / "start.xyz"), "--oracle", "ase.calculators.emt:EMT", "--out", str(folder / "run")),
        *(part for name, value in settings.items() for part in ("--set", f"{name}={value}")),
    ]


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that ended when its budget was spent."""
    folder = tmp_path_factory.mktemp("learned")
    assert run(arguments(folder)) == 1
    return folder / "run"


def test_a_potential_comes_out_that_was_trained_on_all_labels(learned: Path) -> None:
    potential = adiabat.load(learned / "potential.adiabat")
    labels = LabelStore(learned / "labels.db").labelled()
    assert potential.metadata["data"]["structures"] == len(labels) == 18
    assert potential.has_uncertainty


def test_the_summary_tells_what_was_asked_and_what_the_potential_had_said_of_it(learned: Path) -> None:
    summary = json.loads((learned / "summary.json").read_text())
    assert (summary["why"], summary["labels"], summary["requests"]) == ("budget", 18, 18)
    labels = [one["labels"] for one in summary["generations"]]
    assert labels[0] == 14
    assert labels[-1] == 18
    assert all(more > fewer for fewer, more in pairwise(labels))
    for one in summary["generations"][:-1]:
        assert one["new_force_rmse_ev_per_angstrom"] > 0
        assert 0.1 < one["new_force_std_ev_per_angstrom"] / one["new_force_rmse_ev_per_angstrom"] < 10


def test_a_run_goes_on_after_a_kill_and_asks_for_nothing_twice(tmp_path: Path, learned: Path) -> None:
    """Killed while it explores; the labels, and so the potential, are those of the undisturbed run."""
    command = [sys.executable, "-c", "from adiabat.cli import main; main()", *arguments(tmp_path)]
    process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)
    while not (tmp_path / "run" / "generation_01" / "potential.adiabat").exists():
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert run([*arguments(tmp_path), "--resume"]) == 1
    one, other = (LabelStore(folder / "labels.db").labelled() for folder in (learned, tmp_path / "run"))
    assert [a.labels.energy for a in one] == [b.labels.energy for b in other]


def test_a_potential_that_is_sure_ends_the_run(tmp_path: Path) -> None:
    assert run(arguments(tmp_path, force_std_ev_per_angstrom="100.0", temperature_k="[20, 20]", flagged="1.0")) == 0
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["why"] == "sure"


def test_another_run_is_not_gone_on_with(learned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*arguments(learned.parent, batch="4"), "--resume"]) == 2
    assert "holds a run with another configuration" in capsys.readouterr().err
    assert run(arguments(learned.parent)) == 2
    assert "holds a run of learning" in capsys.readouterr().err


def test_no_run_is_not_resumed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*arguments(tmp_path), "--resume"]) == 2
    assert "holds no run of learning" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"budget": 0}, "budget"),
        ({"budget": 15}, "does not pay for the first=20"),
        ({"temperature_k": [600, 300]}, "to the same or a higher one"),
        ({"explore": {"volumes": [0, 1]}}, "from a volume above 0"),
        ({"bugdet": 100}, "did you mean"),
        ({"train": {"model": "network"}}, "labels are added to the solution of a linear model alone"),
    ],
)
def test_what_cannot_be_is_refused(settings: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        LearnConfig.parse(settings)
    assert said in str(error.value)


def test_volumes_of_a_molecule_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "water.xyz", molecule("H2O"))
    oracle = ("--oracle", "ase.calculators.emt:EMT", "--set", "explore.volumes=[0.9, 1.0]")
    assert run(["learn", str(tmp_path / "water.xyz"), *oracle, "--out", str(tmp_path / "run")]) == 2
    assert "periodic along [False, False, False]" in capsys.readouterr().err


def test_an_oracle_that_labels_nothing_ends_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "silicon.xyz", bulk("Si", cubic=True))
    oracle = ("--oracle", "ase.calculators.emt:EMT")
    assert run(["learn", str(tmp_path / "silicon.xyz"), *oracle, "--out", str(tmp_path / "run")]) == 2
    assert "No EMT-potential for Si" in capsys.readouterr().err


@pytest.mark.parametrize("atoms", [bulk("NaCl", "rocksalt", a=5.6), molecule("CH3CH2OH")])
def test_made_structures_are_around_the_start(atoms: Atoms) -> None:
    found = around(atoms, 12, volumes=(0.9, 1.1), seed=0)
    shortest = measure_distances([Labelled(atoms)], quiet=True).least()[0]
    for one in found:
        assert np.array_equal(one.atoms.numbers, atoms.numbers)
        assert np.array_equal(one.atoms.pbc, atoms.pbc)
        if atoms.pbc.all():
            assert 0.85 < one.atoms.get_volume() / atoms.get_volume() < 1.15
    assert measure_distances(found, quiet=True).least().min() > 0.4 * shortest
    assert {one.atoms.get_chemical_symbols()[0] for one in isolated_atoms([atoms])} == set(atoms.get_chemical_symbols())


def test_squeezed_neighbours_are_nearer_than_any_in_the_start_structure() -> None:
    atoms = bulk("NaCl", "rocksalt", a=5.6, cubic=True)
    found = squeezed([atoms], 2, seed=0)
    assert len(found) == 6  # two of each of three pairs
    least = measure_distances([Labelled(atoms)], quiet=True).least()[0]
    for one in found:
        moved = np.abs(one.atoms.positions - atoms.positions).max(1) > 1e-9
        assert moved.sum() == 2
        assert np.allclose(one.atoms.get_center_of_mass(), atoms.get_center_of_mass(), atol=0.2)
    nearest = measure_distances([one for one in found if "Cl-Na" in one.place], quiet=True).least()
    assert nearest == pytest.approx([0.75 * least, 0.9 * least])


def test_first_structures_are_around_every_start_structure() -> None:
    starts = [bulk("Cu", cubic=True), bulk("Cu", "bcc", a=2.9, cubic=True)]
    found = first_structures(starts, LearnConfig.parse({"first": 14}))
    assert [one.config_type for one in found].count("made") == 12
    assert sorted({len(one.atoms) for one in found if one.config_type == "made"}) == [2, 4]


def test_too_few_first_structures_are_refused() -> None:
    with pytest.raises(ConfigurationError) as error:
        first_structures([bulk("NaCl", "rocksalt", a=5.6, cubic=True)], LearnConfig.parse({"first": 12}))
    assert error.value.mend == "first=13 or more"

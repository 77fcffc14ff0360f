"""What is to be seen of a run of learning, while it goes on and afterwards: copper, with ASE's EMT as the truth."""

import json
import re
import sqlite3
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.io import write

import adiabat
from adiabat.cli.app import run
from adiabat.errors import LabelStoreError
from adiabat.learning import LabelStore, learning_page, live_page, read_progress
from adiabat.learning.descriptor_map import DescriptorMap, map_structures
from adiabat.learning.figures import where_labels_went
from adiabat.learning.foreseen import foresee
from adiabat.learning.journal import Journal, Stretch, read_journal, seconds_of
from adiabat.learning.ledger import count_ledger, read_ledger
from adiabat.learning.live import progress_line
from adiabat.potential import Potential
from adiabat.results import Points
from adiabat.system import Labelled, Labels

SETTINGS = {
    "budget": "18",
    "first": "14",
    "batch": "3",
    "explore.explorers": "1",
    "explore.steps": "100",
    "force_std_ev_per_angstrom": "0.001",  # never sure
    "train.basis": "{size: small, cutoff_angstrom: 4.0}",
    "train.repulsion.enabled": "false",  # no search for holes: quick
    "validation": "{settle_ps: 0.02, nvt_ps: 0.05, nve_ps: 0.1, hot_ps: 0.05, replicas: 1}",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that ended when its budget was spent."""
    parent = tmp_path_factory.mktemp("learned")
    write(parent / "start.xyz", bulk("Cu", cubic=True))
    settings = (part for name, value in SETTINGS.items() for part in ("--set", f"{name}={value}"))
    oracle = ("--oracle", "ase.calculators.emt:EMT")
    assert run(["learn", str(parent / "start.xyz"), *oracle, "--out", str(parent / "run"), *settings]) == 1
    return parent / "run"


@pytest.fixture(scope="module")
def potential(folder: Path) -> Potential:
    return adiabat.load(folder / "potential.adiabat")


def test_no_label_of_the_trial_is_asked_for_twice(folder: Path) -> None:
    entries = read_ledger(folder / "labels.db")
    with sqlite3.connect(folder / "labels.db") as connection:
        attempts = connection.execute("SELECT attempts FROM ledger").fetchall()
    assert [entry.state for entry in entries] == ["done"] * 18
    assert attempts == [(1,)] * 18


def test_the_report_shows_what_was_learned_where_labels_went_and_what_it_cost(folder: Path) -> None:
    page = learning_page(folder)
    tables = {table.name: table for table in page.tables}
    assert set(tables) == {"generations", "foreseen", "kinds", "cost", "checks"}  # nothing failed
    generations = json.loads((folder / "summary.json").read_text())["generations"]
    assert [row[1] for row in tables["generations"].rows] == [one["labels"] for one in generations]
    assert sum(row[1] for row in tables["kinds"].rows if isinstance(row[1], int)) == 18
    assert {row[0] for row in tables["kinds"].rows} >= {"IsolatedAtom", "made", "generation_0"}
    assert [figure.name for figure in page.figures] == ["learning-curve", "unsure", "map", "foreseen"]
    text = (folder / "report.html").read_text()
    assert "Where the labels were spent" in text
    assert "the budget is spent" in text
    assert not re.findall(r'(?:src|href)="(?!data:|#)', re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL))


def test_every_label_but_the_isolated_atom_is_a_point_on_the_map_that_says_which(folder: Path) -> None:
    [figure] = [figure for figure in learning_page(folder).figures if figure.name == "map"]
    explored, *labelled = (mark for mark in figure.marks if isinstance(mark, Points))
    names = [name for mark in labelled for name in mark.texts or ()]
    store = LabelStore(folder / "labels.db")
    assert sorted(names) == sorted(one.place for one in store.labelled() if not one.is_isolated_atom)
    assert len(explored.x) >= 20


def test_the_structures_are_those_whose_forces_were_foreseen_worst(folder: Path) -> None:
    views = learning_page(folder).structures
    largest = [float(view.values.max()) for view in views if view.values is not None]
    assert len(largest) == 4  # all that were asked for by the potential
    assert largest == sorted(largest, reverse=True)


def test_the_command_says_what_it_costs_before_and_how_the_potential_stood_the_checks(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    reports: list[Path] = []
    monkeypatch.setattr("adiabat.report.write_html", lambda _, file: reports.append(file))
    start, oracle = str(folder.parent / "start.xyz"), ("--oracle", "ase.calculators.emt:EMT")
    settings = [part for name, value in SETTINGS.items() for part in ("--set", f"{name}={value}")]
    assert run(["learn", start, *oracle, "--out", str(folder), *settings, "--resume"]) == 1
    said = capsys.readouterr()
    assert "If the whole budget is spent: 18 labels in 5 generations" in said.err
    assert re.search(r"validation: \d+ of \d+ checks passed", said.out)
    assert len(reports) == 1  # none of the generations that were done before


def test_a_report_of_a_run_under_way_shows_what_there_is(folder: Path, tmp_path: Path) -> None:
    """As it is before the first generation is done: labels, and no potential yet."""
    for name in ("learn.json", "labels.db", "estimate.json", "journal.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    page = learning_page(tmp_path)
    assert page.summary[0] == "Under way."
    assert {table.name for table in page.tables} == {"kinds", "cost"}
    assert page.figures == ()


def test_progress_is_read_from_the_folder_by_anyone(folder: Path) -> None:
    progress = read_progress(folder)
    assert (progress.why, progress.labels, progress.budget, progress.open) == ("budget", 18, 18, 0)
    assert progress.seconds_left is None
    phases = progress.training_seconds + progress.exploring_seconds + progress.labelling_seconds
    assert 0 < phases < progress.seconds
    line = progress_line(progress)
    assert "ended: the budget is spent, labels 18 of at most 18" in line
    page = live_page(folder)
    assert page is not None
    assert page.summary[0] == "Ended: the budget is spent."
    assert live_page(folder / "nothing") is None


def test_the_time_left_is_what_was_measured_times_what_is_to_do(folder: Path, tmp_path: Path) -> None:
    """After the labels of the first generation: one more label, two trainings and explorations, and what comes last."""
    for name in ("learn.json", "estimate.json", "labels.db"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    with sqlite3.connect(tmp_path / "labels.db") as connection:
        connection.execute("DELETE FROM ledger WHERE request > 17")
    done = (("labelling", None, 34.0), ("training", 0, 5.0), ("exploring", 0, 3.0), ("labelling", 0, 17.0))
    stretches = [{"phase": p, "generation": g, "began_at": 0.0, "seconds": s} for p, g, s in done]
    (tmp_path / "journal.json").write_text(json.dumps(stretches))
    last = json.loads((tmp_path / "estimate.json").read_text())["seconds_at_end"]
    assert read_progress(tmp_path).seconds_left == pytest.approx(1 * 51 / 17 + 2 * 5 + 2 * 3 + last)


def test_a_journal_counts_what_ended_and_not_what_was_killed(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.json")
    with journal.during("training", 1):
        time.sleep(0.01)
        assert read_journal(journal.file)[-1].seconds is None
    with pytest.raises(KeyboardInterrupt), journal.during("exploring", 1):
        raise KeyboardInterrupt
    with journal.during("exploring", 1):
        pass
    stretches = read_journal(journal.file)
    assert [(one.phase, one.seconds is None) for one in stretches] == [
        ("training", False),
        ("exploring", True),
        ("exploring", False),
    ]
    assert 0.01 <= seconds_of(stretches, "training") < 5
    assert seconds_of((*stretches, Stretch("training", 2, 0.0, 2.5)), "training") == pytest.approx(
        2.5 + seconds_of(stretches, "training")
    )
    assert read_journal(tmp_path / "none.json") == ()


def test_reading_a_ledger_changes_nothing(folder: Path, tmp_path: Path) -> None:
    assert count_ledger(tmp_path / "labels.db").requests == 0
    assert not (tmp_path / "labels.db").exists()
    (tmp_path / "labels.db").write_text("no database")
    with pytest.raises(LabelStoreError, match="cannot be read"):
        count_ledger(tmp_path / "labels.db")
    before = (folder / "labels.db").read_bytes()
    assert count_ledger(folder / "labels.db").of("done") == 18
    assert (folder / "labels.db").read_bytes() == before


def labelled(seed: int) -> Labelled:
    atoms = bulk("Cu", cubic=True)
    atoms.rattle(0.05, seed=seed)
    atoms.calc = EMT()
    labels = Labels(float(atoms.get_potential_energy()), atoms.get_forces(), None)
    return Labelled(Atoms(atoms.numbers, positions=atoms.positions, cell=atoms.cell, pbc=True), labels, place=f"{seed}")


def test_what_was_foreseen_is_what_the_potential_says_less_the_label(potential: Potential) -> None:
    """A label that is shifted by a known amount shifts the error by as much the other way."""
    one = labelled(1)
    assert one.labels.energy is not None
    assert one.labels.forces is not None
    shift = np.array([[0.3, 0.0, 0.0], [0.0, -0.4, 0.0], [0.0, 0.0, 0.0], [-0.3, 0.4, 0.0]])
    moved = replace(one, labels=Labels(one.labels.energy + 2.0, one.labels.forces + shift, None))
    [before], [after] = (foresee(potential, [each]).structures for each in (one, moved))
    assert np.subtract(before.force_errors, after.force_errors) == pytest.approx(shift)
    assert before.energy_error_ev_per_atom - after.energy_error_ev_per_atom == pytest.approx(2.0 / 4)
    assert before.force_stds == after.force_stds
    said = potential(one.atoms, want=("forces_std",)).forces_std
    assert said is not None
    assert np.array(before.force_stds) == pytest.approx(said.numpy())
    both = foresee(potential, [one, moved])
    squares = np.square(np.concatenate([before.force_errors, after.force_errors]))
    assert both.force_rmse_ev_per_angstrom == pytest.approx(np.sqrt(squares.mean()))
    assert foresee(potential, []).force_rmse_ev_per_angstrom is None


def test_structures_that_differ_most_lie_far_apart_on_the_map(potential: Potential) -> None:
    """Two densities, each rattled: the first component tells them apart, whatever order they come in."""

    def crystal(scale: float, seed: int) -> Atoms:
        atoms = bulk("Cu", a=3.61 * scale, cubic=True)
        atoms.rattle(0.01, seed=seed)
        return atoms

    dense, thin = ([crystal(scale, seed) for seed in range(6)] for scale in (0.96, 1.04))
    found = map_structures([*dense, *thin], [crystal(1.04, 7)], potential)
    assert found is not None
    first = found.coordinates[:, 0]
    assert np.ptp(first[:6]) + np.ptp(first[6:]) < 0.5 * abs(first[:6].mean() - first[6:].mean())
    assert found.shares[0] > 0.5
    assert abs(found.others[0, 0] - first[6:].mean()) < abs(found.others[0, 0] - first[:6].mean()) / 3
    assert sum(found.shares) <= 1 + 1e-12
    backwards = map_structures([*thin[::-1], *dense[::-1]], [], potential)
    assert backwards is not None
    assert np.abs(backwards.coordinates[::-1, 0]) == pytest.approx(np.abs(first), rel=1e-6)


def test_there_is_no_map_of_structures_that_do_not_differ(potential: Potential) -> None:
    assert map_structures([bulk("Cu", cubic=True)] * 5, [], potential) is None
    assert map_structures([bulk("Cu", cubic=True)] * 2, [], potential) is None


def test_many_generations_share_a_colour_on_the_map() -> None:
    place = np.array([[float(k), 0.0] for k in range(12)])
    kinds = ["made", *(f"generation_{k}" for k in range(10)), "mine"]
    figure = where_labels_went(DescriptorMap(place, np.empty((0, 2)), (0.6, 0.2)), kinds, [str(k) for k in range(12)])
    names = [mark.name for mark in figure.marks]
    assert names == [
        "made",
        "generations 0 to 2",
        "generations 3 to 5",
        "generations 6 to 7",
        "generations 8 to 9",
        "mine",
    ]
    assert [len(mark.x) for mark in figure.marks if isinstance(mark, Points)] == [1, 3, 3, 2, 2, 1]


def test_what_lies_far_outside_the_labels_is_said_and_not_drawn() -> None:
    met = np.array([[0.5, 0.5], [1.9, 0.5], [50.0, 0.5]])
    found = DescriptorMap(np.array([[0.0, 0.0], [1.0, 1.0], [0.0, 1.0]]), met, (0.6, 0.2))
    figure = where_labels_went(found, ["made"] * 3, ["a", "b", "c"])
    assert isinstance(figure.marks[0], Points)
    assert figure.marks[0].x.tolist() == [0.5, 1.9]
    assert "1 that were met lie far outside" in figure.note

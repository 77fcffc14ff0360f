"""The descent: it finds what is there, goes on to the same bits, and stops where going on would be wrong."""

import csv
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from trainable_models import CONFIG, TRUTH, Bumps, bumpy_cells, task

from adiabat.errors import CheckpointError, TrainingError
from adiabat.system import TrainableModel
from adiabat.training.checkpoint import TrainingCheckpoint
from adiabat.training.gradient import descent as module
from adiabat.training.gradient.descent import FILE, Descent, Task
from adiabat.training.gradient.gradients import Gradients
from adiabat.training.gradient.validation import validate


class Killed(BaseException):
    """Stands for a death that nothing catches."""


@pytest.fixture
def saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TrainingCheckpoint:
    """A checkpoint that is written after every step."""
    monkeypatch.setattr("adiabat.training.checkpoint.SECONDS_BETWEEN_SAVES", 0.0)
    monkeypatch.setattr("adiabat.training.checkpoint.MOST_SAVING", 1e9)
    checkpoint = TrainingCheckpoint(tmp_path / "checkpoint", {"run": 1})
    checkpoint.start(resume=False)
    return checkpoint


def parameters(model: TrainableModel) -> list[float]:
    return [float(parameter.detach()) for _, parameter in model.named_parameters()]


def die_after(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    done, of = [0], Gradients.of

    def dying(self: Gradients, *arguments: Any) -> tuple[float, list[Tensor], int | None]:
        if done[0] == steps:
            raise Killed
        done[0] += 1
        return of(self, *arguments)

    monkeypatch.setattr(Gradients, "of", dying)


def test_errors_fall_tenfold_towards_what_made_the_labels() -> None:
    given = task(epochs=150)
    begun = replace(given, model=Bumps())
    start = validate(begun.model, given.validation, dtype=torch.float64)
    history = Descent(given, CONFIG.model_copy(update={"average": 0.5})).run(quiet=True)
    end = validate(given.model, given.validation, dtype=torch.float64)
    assert end.mae.keys() == {"energy", "stress"}
    assert {kind: end.mae[kind] < 0.1 * start.mae[kind] for kind in start.mae} == {"energy": True, "stress": True}
    last = history.epochs[-1]
    assert last.validation_force_rmse_ev_per_angstrom is None  # the last two structures have energies and stresses
    assert last.validation_energy_mae_mev_per_atom is not None


@pytest.mark.parametrize("steps", [1, 7, 11])
def test_a_run_that_died_goes_on_to_the_same_bits(
    steps: int, saved: TrainingCheckpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed = task()
    expected = Descent(undisturbed, CONFIG).run(quiet=True)
    with monkeypatch.context() as context:
        die_after(steps, context)
        with pytest.raises(Killed):
            Descent(task(), CONFIG, saved=saved).run(quiet=True)

    resumed = task()
    found = Descent(resumed, CONFIG, saved=saved).run(quiet=True)

    assert parameters(resumed.model) == parameters(undisturbed.model)
    assert [replace(e, seconds=0.0) for e in found.epochs] == [replace(e, seconds=0.0) for e in expected.epochs]


def test_the_averages_and_not_the_last_parameters_are_kept_and_of_the_best_epoch() -> None:
    given = task()
    history = Descent(given, CONFIG).run(quiet=True)
    scores = [e.validation_energy_mae_mev_per_atom for e in history.epochs]
    assert 1 <= history.best_epoch <= len(scores)
    found = Descent(replace(given, default_epochs=1), CONFIG)
    errors = found._validation()  # of the parameters that were kept: a new average begins with them
    assert 1e3 * errors.mae["energy"] == pytest.approx(scores[history.best_epoch - 1], rel=1e-12)


def test_a_loss_that_is_no_number_names_batch_and_structure_and_keeps_the_checkpoint(
    saved: TrainingCheckpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Diverging(Bumps):
        steps = 0

        def atomic_energies(self, graph):
            found = super().atomic_energies(graph)
            self.steps += self.height.requires_grad and torch.is_grad_enabled()
            return found * float("nan") if self.steps > 4 and graph.batch.n_atoms < 9 else found

        def to(self, **kwargs):
            return self

    config = CONFIG.model_copy(update={"batch_atoms": 8})
    with pytest.raises(TrainingError, match="not a number at step 5, of structure") as caught:
        Descent(task(model=Diverging()), config, saved=saved).run(quiet=True)
    assert caught.value.place == "epoch 1, batch 5"
    assert "checkpoint holds the last good parameters" in str(caught.value)
    kept = Descent(task(), config, saved=saved)
    kept._begin()
    assert np.isfinite(parameters(kept._task.model)).all()
    assert kept._progress.step == 4


def test_a_training_ends_early_where_validation_does_not_improve() -> None:
    given = task(model=Bumps(*TRUTH), epochs=50)
    history = Descent(given, CONFIG.model_copy(update={"patience": 3})).run(quiet=True)
    assert len(history.epochs) == history.best_epoch + 3
    assert parameters(given.model) == pytest.approx(TRUTH, rel=1e-2)


def test_a_training_with_little_time_has_few_epochs_and_still_ends_at_rate_zero(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [0.0]

    def ticking() -> float:
        clock[0] += 0.01
        return clock[0]

    monkeypatch.setattr(module.time, "monotonic", ticking)
    history = Descent(task(epochs=10_000), CONFIG.model_copy(update={"max_minutes": 0.02})).run(quiet=True)
    assert 3 <= len(history.epochs) <= 120
    assert history.epochs[-1].seconds <= 1.3
    assert history.epochs[-1].learning_rate < 0.1 * max(e.learning_rate for e in history.epochs)


def test_a_signal_stops_with_a_checkpoint(saved: TrainingCheckpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    of = Gradients.of

    def interrupted(self: Gradients, *arguments: Any) -> tuple[float, list[Tensor], int | None]:
        os.kill(os.getpid(), signal.SIGINT)
        return of(self, *arguments)

    with monkeypatch.context() as context:
        context.setattr(Gradients, "of", interrupted)
        with pytest.raises(TrainingError, match="stopped by a signal after 1 steps"):
            Descent(task(), CONFIG, saved=saved).run(quiet=True)
    undisturbed, resumed = task(), task()
    Descent(undisturbed, CONFIG).run(quiet=True)
    Descent(resumed, CONFIG, saved=saved).run(quiet=True)
    assert parameters(resumed.model) == parameters(undisturbed.model)


def test_the_log_has_a_row_for_each_epoch(tmp_path: Path) -> None:
    log = tmp_path / "training.csv"
    history = Descent(task(), CONFIG, log=log).run(quiet=True)
    with log.open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["epoch"]) for row in rows] == [1, 2, 3, 4, 5, 6]
    assert [float(row["loss"]) for row in rows] == [e.loss for e in history.epochs]
    assert {row["validation_force_mae_ev_per_angstrom"] for row in rows} == {""}


def test_the_history_is_a_result_with_curves() -> None:
    history = Descent(task(), CONFIG).run(quiet=True)
    assert history.to_dict()["epochs"][0]["validation_force_mae_ev_per_angstrom"] is None
    figures = {figure.name: figure for figure in history.figures()}
    assert set(figures) == {"loss", "validation_energy_mae_mev_per_atom", "validation_stress_mae_gpa"}
    [line] = figures["loss"].marks
    np.testing.assert_array_equal(line.x, [1, 2, 3, 4, 5, 6])  # pyright: ignore[reportAttributeAccessIssue] (a line)


@pytest.mark.parametrize("damage", [b"", b"no safetensors"])
def test_a_damaged_checkpoint_is_refused(damage: bytes, saved: TrainingCheckpoint) -> None:
    (saved.folder / FILE).write_bytes(damage)
    with pytest.raises(CheckpointError, match="descent is damaged"):
        Descent(task(), CONFIG, saved=saved).run(quiet=True)


def test_lines_say_loss_errors_in_physical_units_and_the_time_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("adiabat.runs.live.SECONDS_BETWEEN_LINES", 0.0)
    Descent(task(epochs=3), CONFIG).run()
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("epoch 3/3  loss ")
    for word in ("validation: energy ", " meV/atom, stress ", " GPa", " left"):
        assert word in last


def test_single_precision_finds_nearly_the_same() -> None:
    found = []
    for precision in ("float64", "float32"):
        config = CONFIG.model_copy(update={"precision": precision})
        given = task()
        given = replace(given, model=given.model.to(dtype=getattr(torch, precision)))
        Descent(given, config).run(quiet=True)
        found.append(parameters(given.model))
    assert found[0] == pytest.approx(found[1], rel=1e-3)


def test_data_that_hold_one_kind_of_label_are_enough() -> None:
    structures = [
        replace(s, labels=replace(s.labels, energy=None, stress=None))
        for s in bumpy_cells()
        if s.labels.forces is not None
    ]
    given: Task = task([*structures, *structures])
    history = Descent(given, CONFIG).run(quiet=True)
    assert history.epochs[-1].validation_energy_mae_mev_per_atom is None
    assert history.epochs[-1].validation_force_mae_ev_per_angstrom is not None

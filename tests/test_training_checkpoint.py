"""Checkpoints of a training run: a run that was killed goes on to the same bits, and only with what it began with."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import pytest
import torch
from training_structures import CONFIG, FAST, labelled_cells, noisy_data, trained_on_noise, write_structures

from adiabat.basis.presets import BasisConfig
from adiabat.cli.app import run
from adiabat.errors import CheckpointError, DataError, OutputError
from adiabat.models import LinearACE
from adiabat.potential import Potential, load_potential
from adiabat.training import TrainConfig, accumulate, linear, train
from adiabat.training import checkpoint as module
from adiabat.training.equations_file import load_equations
from adiabat.training.examples import Example
from adiabat.training.normal_equations import NormalEquations

training = import_module("adiabat.training.train")  # the package's name of it is the function


class Killed(BaseException):
    """Stands for a death that nothing catches."""


@pytest.fixture(autouse=True)
def _two_structures_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accumulate, "rows_at_once", lambda columns: 60)


@pytest.fixture(scope="module")
def undisturbed() -> Potential:
    """Trained on `noisy_data` in one go."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(accumulate, "rows_at_once", lambda columns: 60)
        return train(noisy_data(), CONFIG, quiet=True)


def interrupt_after(structures: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a training die while it takes in the next structures, having saved after all before."""
    monkeypatch.setattr(module, "SECONDS_BETWEEN_SAVES", 0.0)
    monkeypatch.setattr(module, "MOST_SAVING", 1e6)
    add = NormalEquations.add

    def dying(self: NormalEquations, examples: Sequence[Example]) -> None:
        if self.done == structures:
            raise Killed
        add(self, examples)

    monkeypatch.setattr(NormalEquations, "add", dying)


@pytest.fixture
def interrupted(tmp_path: Path) -> Path:
    """The checkpoint of a run on `noisy_data` that died after four structures."""
    folder = tmp_path / "si.adiabat.checkpoint"
    with pytest.MonkeyPatch.context() as monkeypatch:
        interrupt_after(4, monkeypatch)
        with pytest.raises(Killed):
            train(noisy_data(), CONFIG, checkpoint=folder, quiet=True)
    return folder


def same_bits(one: Potential, other: Potential) -> bool:
    mine, theirs = (next(p for p in potential.parts if isinstance(p, LinearACE)) for potential in (one, other))
    return torch.equal(mine.coefficients, theirs.coefficients)


def test_an_interrupted_run_goes_on_to_the_same_bits(
    interrupted: Path, undisturbed: Potential, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_equations(interrupted / "equations.safetensors").done == 4
    taken: list[Example] = []
    add = NormalEquations.add

    def counting(self: NormalEquations, examples: Sequence[Example]) -> None:
        taken.extend(examples)
        add(self, examples)

    monkeypatch.setattr(NormalEquations, "add", counting)
    resumed = train(noisy_data(), CONFIG, checkpoint=interrupted, resume=True, quiet=True)
    assert len(taken) == 3
    assert same_bits(resumed, undisturbed)
    assert resumed.metadata["training"] == undisturbed.metadata["training"]


def test_a_run_that_died_in_the_search_has_all_structures_behind_it(
    undisturbed: Potential, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "checkpoint"
    with monkeypatch.context() as context:
        context.setattr(linear, "search", lambda *arguments, **named: (_ for _ in ()).throw(Killed()))
        with pytest.raises(Killed):
            train(noisy_data(), CONFIG, checkpoint=folder, quiet=True)
    assert load_equations(folder / "equations.safetensors").done == 7
    assert same_bits(train(noisy_data(), CONFIG, checkpoint=folder, resume=True, quiet=True), undisturbed)


def test_a_run_that_died_before_its_first_save_goes_on_from_the_beginning(
    undisturbed: Potential, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "checkpoint"
    with monkeypatch.context() as context:
        context.setattr(training, "check", lambda *arguments, **named: (_ for _ in ()).throw(Killed()))
        with pytest.raises(Killed):
            train(noisy_data(), CONFIG, checkpoint=folder, quiet=True)
    assert same_bits(train(noisy_data(), CONFIG, checkpoint=folder, resume=True, quiet=True), undisturbed)


def test_resuming_without_a_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no checkpoint to resume from"):
        train(noisy_data(), CONFIG, checkpoint=tmp_path / "missing", resume=True, quiet=True)
    assert not (tmp_path / "missing").exists()


def test_a_checkpoint_in_the_way_is_refused_and_kept(interrupted: Path) -> None:
    before = (interrupted / "equations.safetensors").read_bytes()
    with pytest.raises(CheckpointError, match="did not end") as caught:
        train(noisy_data(), CONFIG, checkpoint=interrupted, quiet=True)
    assert "--resume" in str(caught.value)
    assert (interrupted / "equations.safetensors").read_bytes() == before


def test_another_configuration_is_refused_by_the_key_that_differs(interrupted: Path) -> None:
    other = TrainConfig(basis=BasisConfig(size="small", cutoff_angstrom=4.5))
    with pytest.raises(CheckpointError, match=r"configuration\.basis\.cutoff_angstrom was 4\.0 and is 4\.5") as caught:
        train(noisy_data(), other, checkpoint=interrupted, resume=True, quiet=True)
    assert "basis.size" not in str(caught.value)


def test_other_data_are_refused(interrupted: Path) -> None:
    with pytest.raises(CheckpointError, match="data was"):
        train(noisy_data()[1:], CONFIG, checkpoint=interrupted, resume=True, quiet=True)


def test_another_basis_is_refused(interrupted: Path) -> None:
    basis = next(p for p in trained_on_noise().parts if isinstance(p, LinearACE)).basis
    with pytest.raises(CheckpointError, match="basis was None and is"):
        train(noisy_data(), CONFIG, basis=basis, checkpoint=interrupted, resume=True, quiet=True)


def test_another_number_of_threads_is_refused(interrupted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "allowed_threads", lambda: 77)
    with pytest.raises(CheckpointError, match=r"threads was \d+ and is 77"):
        train(noisy_data(), CONFIG, checkpoint=interrupted, resume=True, quiet=True)


@pytest.mark.parametrize("file", ["equations.safetensors", "run.json"])
@pytest.mark.parametrize("content", [b"", b"[]", b"half of a fi"])
def test_a_damaged_checkpoint_is_refused(interrupted: Path, file: str, content: bytes) -> None:
    (interrupted / file).write_bytes(content)
    with pytest.raises(CheckpointError, match="damaged") as caught:
        train(noisy_data(), CONFIG, checkpoint=interrupted, resume=True, quiet=True)
    assert str(interrupted) in str(caught.value)


def test_data_that_are_refused_leave_no_checkpoint(tmp_path: Path) -> None:
    contradiction = [*noisy_data(), labelled_cells()[0]]
    with pytest.raises(DataError, match="conflicting-duplicates"):
        train(contradiction, CONFIG, checkpoint=tmp_path / "checkpoint", quiet=True)
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_place_of_the_checkpoint_is_named(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").write_text("in the way")
    with pytest.raises(OutputError, match="cannot be made"):
        train(noisy_data(), CONFIG, checkpoint=tmp_path / "checkpoint", quiet=True)


def test_the_command_removes_its_own_checkpoint_on_success(interrupted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = interrupted.parent
    monkeypatch.chdir(folder)
    write_structures(folder / "train.xyz", noisy_data())
    assert run(["train", "train.xyz", "--out", "other.adiabat", *FAST]) == 0
    assert sorted(p.name for p in folder.iterdir()) == ["other.adiabat", "si.adiabat.checkpoint", "train.xyz"]


SLOW_TRAINING = """
import sys, time
from adiabat.cli.app import run
from adiabat.training import accumulate, checkpoint
from adiabat.training.normal_equations import NormalEquations

checkpoint.SECONDS_BETWEEN_SAVES = 0.0
checkpoint.MOST_SAVING = 1e6
accumulate.rows_at_once = lambda columns: 60
add = NormalEquations.add

def slowly(self, examples):
    add(self, examples)
    time.sleep(0.5)

NormalEquations.add = slowly
sys.exit(run(sys.argv[1:]))
"""


def test_a_run_that_was_killed_goes_on_to_the_same_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_structures(tmp_path / "train.xyz", noisy_data())
    arguments = ["train", "train.xyz", "--threads", "1", *FAST]
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW_TRAINING, *arguments, "--out", "si.adiabat"],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
    )
    saved = tmp_path / "si.adiabat.checkpoint" / "equations.safetensors"
    deadline = time.monotonic() + 60
    while not saved.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, process.stderr.read().decode() if process.stderr else ""
    assert process.stderr is not None
    process.stderr.close()
    assert not (tmp_path / "si.adiabat").exists()
    assert 0 < load_equations(saved).done < 7
    before = torch.get_num_threads()
    try:
        assert run([*arguments, "--out", "si.adiabat", "--resume"]) == 0
        assert run([*arguments, "--out", "undisturbed.adiabat"]) == 0
    finally:
        torch.set_num_threads(before)
    assert not saved.parent.exists()
    resumed, undisturbed = (load_potential(tmp_path / f"{name}.adiabat") for name in ("si", "undisturbed"))
    assert same_bits(resumed, undisturbed)
    tensors = (potential.attachments["posterior"].to_state().tensors for potential in (resumed, undisturbed))
    assert all(torch.equal(one, other) for one, other in zip(*(each.values() for each in tensors), strict=True))


def test_the_description_of_a_run_is_readable(interrupted: Path) -> None:
    said = json.loads((interrupted / "run.json").read_text())
    assert {"data", "configuration", "basis", "adiabat", "torch", "numpy", "threads"} == set(said)

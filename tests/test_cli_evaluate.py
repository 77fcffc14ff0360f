"""``adiabat evaluate``, as a user calls it."""

import inspect
import json
import shlex
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.io import write
from evaluated_structures import POTENTIAL, rattled, typed

from adiabat.cli import evaluate as module
from adiabat.cli.app import run
from adiabat.potential.file import save_potential
from adiabat.system import Labelled


def write_labelled(file: Path, structures: list[Labelled], *, energy_key: str = "REF_energy") -> None:
    frames = []
    for structure in structures:
        atoms = structure.atoms.copy()
        atoms.info |= {energy_key: structure.labels.energy, "config_type": structure.config_type}
        if structure.labels.forces is not None:
            atoms.arrays["REF_forces"] = structure.labels.forces
        if structure.labels.stress is not None:
            atoms.info["REF_stress"] = structure.labels.stress.ravel()
        frames.append(atoms)
    write(file, frames, format="extxyz")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a potential and test structures under the names that the help uses."""
    monkeypatch.chdir(tmp_path)
    save_potential(POTENTIAL, tmp_path / "si.adiabat", canaries=[rattled(0)])
    write_labelled(tmp_path / "test.xyz", typed(["bulk"] * 5 + ["surface"] * 3))
    return tmp_path


def test_the_example_of_the_help_runs_and_writes_what_it_names(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    example = inspect.cleandoc(module.evaluate_command.__doc__ or "").splitlines()[-1].removeprefix("Example: ")
    program, *arguments = shlex.split(example)
    assert program == "adiabat"
    assert run(arguments) == 0
    errors = json.loads((folder / "errors.json").read_text())
    assert errors["configurations"] == 8
    assert set(errors["by_config_type"]) == {"bulk", "surface"}
    report = (folder / "report.html").read_text()
    assert "<title>si.adiabat on test.xyz</title>" in report
    assert "fingerprint" in report
    printed = capsys.readouterr().out
    assert f"{errors['force_mae_ev_per_angstrom']:.4f}" in printed
    assert "surface" in printed


def test_the_outputs_are_optional(folder: Path) -> None:
    before = sorted(folder.iterdir())
    assert run(["evaluate", "si.adiabat", "test.xyz"]) == 0
    assert sorted(folder.iterdir()) == before


def test_other_keys_are_named_by_the_configuration(folder: Path) -> None:
    write_labelled(folder / "other.xyz", typed(["bulk"] * 2), energy_key="dft_total")
    assert run(["evaluate", "si.adiabat", "other.xyz", "--set", "data.keys.energy=dft_total", "--json", "e.json"]) == 0
    assert json.loads((folder / "e.json").read_text())["energy_labels"] == 2


def test_labels_that_are_left_unread_on_purpose_give_null(folder: Path) -> None:
    unread = ["--set", "data.keys.stress=null", "--set", "data.keys.virial=null", "--json", "e.json"]
    assert run(["evaluate", "si.adiabat", "test.xyz", *unread]) == 0
    errors = json.loads((folder / "e.json").read_text())
    assert errors["stress_mae_gpa"] is None
    assert errors["stress_labels"] == 0
    assert errors["force_mae_ev_per_angstrom"] > 0


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a refused command says; it must not have written its outputs."""
    before = set(Path.cwd().iterdir())
    assert run(["evaluate", *arguments]) == 2
    assert set(Path.cwd().iterdir()) == before
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    return captured.err


def test_an_unknown_element_is_refused_with_its_place(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stranger = Atoms("Xe2", [[0, 0, 0], [0, 0, 4]], info={"REF_energy": 0.0})
    write(folder / "xenon.xyz", [rattled(0), stranger], format="extxyz")
    said = refused(capsys, "si.adiabat", "xenon.xyz", "--json", "e.json", "--report", "r.html")
    assert "xenon.xyz, structure 1" in said
    assert "Xe" in said
    assert "Ar, Kr" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("missing.adiabat", "test.xyz"), "missing.adiabat"),
        (("si.adiabat", "missing.xyz"), "missing.xyz"),
        (("test.xyz", "test.xyz"), "test.xyz"),
        (("si.adiabat", "test.xyz", "--set", "data.keys.enrgy=x"), "did you mean 'energy'?"),
        (("si.adiabat", "test.xyz", "--set", "data.keys.energy=dft_total"), "dft_total"),
        (("si.adiabat", "test.xyz", "--set", "data.isolated_atoms_ev.Ar=1"), "unknown key"),
    ],
    ids=["no potential", "no data", "a foreign potential", "a misspelt key", "a key that is not there", "no effect"],
)
def test_what_cannot_be_done_is_refused_with_its_place(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    assert said in refused(capsys, *arguments, "--json", "e.json")


@pytest.mark.parametrize("option", ["--json", "--report"])
@pytest.mark.parametrize("output", ["nowhere/out", "."])
def test_outputs_that_could_not_be_written_are_refused_before_the_work(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, option: str, output: str
) -> None:
    monkeypatch.setattr(module, "load_potential", lambda file: pytest.fail("the work had begun"))
    assert output.split("/", maxsplit=1)[0] in refused(capsys, "si.adiabat", "test.xyz", option, output)


def test_what_is_left_out_is_said_on_the_terminal(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    unlabelled = rattled(9)
    labelled = rattled(8)
    labelled.info["REF_energy"] = float(np.float64(-1.0))
    write(folder / "some.xyz", [labelled, unlabelled], format="extxyz")
    assert run(["evaluate", "si.adiabat", "some.xyz"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "left out: some.xyz, structure 1 (default): it has no label" in printed

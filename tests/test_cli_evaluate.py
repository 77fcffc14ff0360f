"""``adiabat evaluate``, as a user calls it."""

import inspect
import json
import shlex
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.io import write
from deviating_potentials import ENERGY_STD, FORCE_STD, Deviating, Deviations
from evaluated_structures import POTENTIAL, rattled, typed
from torch import Tensor

from adiabat.cli import evaluate as module
from adiabat.cli.app import run
from adiabat.potential.file import save_potential
from adiabat.system import Graph, Labelled


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


@pytest.fixture
def knowing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same folder with a potential that knows its typical errors, and high atoms badly; and structures without labels."""
    typical = {"energy": ENERGY_STD, "forces": FORCE_STD}
    potential = Deviating(Deviations(forces=unsure_above_4_angstrom), typical=typical)
    monkeypatch.setattr(module, "load_potential", lambda file: potential)
    write(folder / "sure.xyz", [dimer(3.8), dimer(3.9)], format="extxyz")
    write(folder / "unsure.xyz", [dimer(3.9), dimer(4.1)], format="extxyz")
    return folder


def dimer(height: float) -> Atoms:
    return Atoms("Ar2", [[0, 0, 0], [0, 0, height]])


def unsure_above_4_angstrom(graph: Graph) -> Tensor:
    high = graph.batch.positions[:, 2:] > 4.0
    return FORCE_STD * (1.0 + 9.0 * high.to(graph.batch.positions)).expand(-1, 3)


def printed_by(capsys: pytest.CaptureFixture[str]) -> str:
    return " ".join(capsys.readouterr().out.split())


def test_a_calibration_is_printed_and_written_where_the_potential_has_uncertainties(
    knowing: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["evaluate", "si.adiabat", "test.xyz", "--json", "e.json", "--report", "r.html"]) == 0
    found = json.loads((knowing / "e.json").read_text())
    assert found["uncertainty"] is None
    assert 0 < found["calibration"]["stress"]["coverage_50"] < found["calibration"]["stress"]["coverage_95"] <= 1
    assert found["by_config_type"]["surface"]["calibration"]["energy"]["count"] == 3
    printed = printed_by(capsys)
    assert "Calibration of the standard deviations" in printed
    assert "Force intervals" in printed
    assert "reliability of the intervals" in (knowing / "r.html").read_text()


def test_a_potential_without_uncertainties_says_what_would_give_them(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["evaluate", "si.adiabat", "test.xyz", "--json", "e.json"]) == 0
    assert json.loads((folder / "e.json").read_text())["calibration"] is None
    assert "Calibration: none" in printed_by(capsys)
    said = refused(capsys, "si.adiabat", "test.xyz", "--uncertainty")
    assert "this potential has no uncertainty" in said
    assert "train it again" in said


def test_structures_without_labels_are_judged_and_the_exit_status_says_how(
    knowing: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["evaluate", "si.adiabat", "sure.xyz", "--uncertainty"]) == 0
    assert "Trusted: all 2." in printed_by(capsys)
    assert run(["evaluate", "si.adiabat", "unsure.xyz", "--uncertainty", "--json", "u.json", "--report", "u.html"]) == 1
    printed = printed_by(capsys)
    assert "Not to be trusted: 1 of 2." in printed
    assert "atom 1 (Ar)" in printed
    first, second = json.loads((knowing / "u.json").read_text())["uncertainty"]["structures"]
    assert (first["trusted"], second["trusted"]) == (True, False)
    assert (second["place"], second["least_known_atom"]) == ("unsure.xyz, structure 1", 1)
    assert "standard deviation of the force" in (knowing / "u.html").read_text()


def test_labelled_structures_are_judged_beside_their_errors(knowing: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        run(["evaluate", "si.adiabat", "test.xyz", "--uncertainty", "--json", "e.json"]) == 1
    )  # a crystal reaches higher
    found = json.loads((knowing / "e.json").read_text())
    assert found["force_mae_ev_per_angstrom"] > 0
    assert len(found["uncertainty"]["structures"]) == 8
    assert found["uncertainty"]["not_trusted"] > 0


def test_without_uncertainty_asked_for_labels_are_required(knowing: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "holds no usable label" in refused(capsys, "si.adiabat", "sure.xyz", "--json", "e.json")


def test_labels_that_are_not_read_are_named_and_one_that_was_asked_for_is_required(
    knowing: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_labelled(knowing / "other.xyz", typed(["bulk"]), energy_key="dft_total_energy")
    without = ["--set", "data.keys.forces=null", "--set", "data.keys.stress=null"]
    run(["evaluate", "si.adiabat", "other.xyz", "--uncertainty", *without])
    assert "read as no label, so that no error is shown: REF_forces, REF_stress, dft_total_energy" in printed_by(capsys)
    misspelt = ["--uncertainty", "--set", "data.keys.energy=dft_energy"]
    assert "dft_energy" in refused(capsys, "si.adiabat", "other.xyz", *misspelt)


def test_a_learning_curve_of_structures_without_labels_is_refused(
    knowing: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refused(
        capsys, "si.adiabat", "sure.xyz", "--uncertainty", "--report", "r.html", "--learning-curve", "test.xyz"
    )
    assert "--learning-curve" in said
    assert "no labels" in said

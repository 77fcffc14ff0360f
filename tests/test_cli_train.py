"""``adiabat train``, as a user calls it."""

import inspect
import re
import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from analytic_models import rare_gas_potential
from ase import Atoms
from training_structures import (
    FAST,
    FEW,
    ISOLATED_EV,
    cells,
    isolated_silicon,
    label,
    labelled_cells,
    noisy,
    trained,
    training_data,
    truth,
    write_structures,
)

from adiabat.cli import train as module
from adiabat.cli.app import run
from adiabat.data import Split, read
from adiabat.models import IsolatedAtoms, LinearACE
from adiabat.potential import Potential, load_potential
from adiabat.system import Labelled


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with training and test structures under the names that the help uses."""
    monkeypatch.chdir(tmp_path)
    write_structures(tmp_path / "train.xyz", training_data())
    write_structures(tmp_path / "test.xyz", labelled_cells(3, first_seed=100))
    return tmp_path


def learned(file: str | Path) -> LinearACE:
    return next(part for part in load_potential(file).parts if isinstance(part, LinearACE))


def names(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a refused command says; it must have written nothing."""
    capsys.readouterr()
    before = {file: file.stat().st_mtime_ns for file in Path.cwd().rglob("*")}
    assert run(["train", *arguments]) == 2
    assert {file: file.stat().st_mtime_ns for file in Path.cwd().rglob("*")} == before
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    return " ".join(captured.err.split())


def test_the_example_of_the_help_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    example = inspect.cleandoc(module.train_command.__doc__ or "").splitlines()[-1].removeprefix("Example: ")
    program, *arguments = shlex.split(example)
    assert program == "adiabat"
    assert run([*arguments, *FAST]) == 0
    assert names(folder) == {"train.xyz", "test.xyz", "si.adiabat"}
    printed = " ".join(capsys.readouterr().out.split())
    assert f"fitted to labels of {FEW} energy, {24 * FEW} forces, {6 * FEW} stress" in printed
    assert "mean absolute errors on structures left out of the fit" in printed
    assert "written: si.adiabat" in printed
    assert re.search(r"energy.*meV/atom", printed)


def test_what_the_command_writes_is_what_the_library_trains(folder: Path) -> None:
    assert run(["train", "train.xyz", "--out", "si.adiabat", *FAST]) == 0
    found, expected = (
        potential(cells(1, first_seed=100)[0], want=("energy", "forces"))
        for potential in (load_potential("si.adiabat"), trained())
    )
    assert found.forces is not None
    assert expected.forces is not None
    np.testing.assert_allclose(found.forces.numpy(), expected.forces.numpy(), atol=1e-4)  # the file holds 8 decimals


def test_the_configuration_file_and_the_overrides_count(folder: Path) -> None:
    (folder / "train.yaml").write_text("basis: {size: small, cutoff_angstrom: 4.5}\nrepulsion: {outer_factor: 1.2}\n")
    arguments = ["--config", "train.yaml", "--set", "basis.cutoff_angstrom=4.0"]
    assert run(["train", "train.xyz", "--out", "si.adiabat", *arguments]) == 0
    configuration = load_potential("si.adiabat").metadata["configuration"]
    assert configuration["basis"] == {"size": "small", "cutoff_angstrom": 4.0, "mixed_channels": None}
    assert configuration["repulsion"]["outer_factor"] == 1.2
    assert learned("si.adiabat").cutoff == 4.0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--set", "basis.siez=small"), "did you mean 'size'?"),
        (("--set", "basis.size=smal"), "'small', 'medium', 'large' or 'molecule'"),
        (("--set", "basis"), "has no '='"),
        (("--set", "data.keys.energy=dft_total"), "dft_total"),
        (("--set", "data.isolated_atoms_ev.Xx=1.0"), "'Xx' is no element"),
        (("--set", "data.isolated_atoms_ev.si=1.0"), "did you mean 'Si'?"),
        (("--set", "bassis.size=small"), "did you mean 'basis'?"),
        (("--set", "size=small"), "did you mean 'basis.size'?"),
        (("--set", "data.keys.energy=config_type"), "train.xyz, structure 0: config_type is 'cell'"),
        (("--set", "data.keys.forces=REF_energy"), "REF_energy is the key of both energy and forces"),
        (("--config", "."), ".: cannot be read: Is a directory"),
        (("--basis-from", "."), ".: cannot be read: Is a directory"),
        (("--test", "."), ".: is a folder"),
        (("--accept", ""), "there is no finding named ''"),
        (("--set", "data.isolated_atoms_ev.Ge=1.0"), "the data hold no Ge"),
        (("--set", "data.isolated_atoms_ev.Si=-1.0"), "the isolated atom in the data has -158.5 eV"),
        (("--set", "data.isolated_atoms_ev.Si=.nan"), "finite number"),
        (("--set", "search.structures=3"), "greater than or equal to 10"),
        (("--config", "missing.yaml"), "missing.yaml"),
        (("--test", "missing.xyz"), "missing.xyz"),
        (("--accept", "net-force"), "'net-force' was not found"),
        (("--accept", "netforce"), "did you mean 'net-force'?"),
        (("--resume",), "no checkpoint to resume from"),
        (("--basis-from", "missing.adiabat"), "missing.adiabat"),
        (("--basis-from", "train.xyz"), "holds no adiabat potential"),
        (("--test", "test.xyz", "--set", "data.split.test_fraction=0.2"), "both --test and data.split"),
        (("--set", "data.split.by=group"), "has no group"),
        (("--set", "data.split.by=config_type"), "hold_out"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_done_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    assert said in refused(capsys, "train.xyz", "--out", "si.adiabat", *arguments)


@pytest.mark.parametrize("out", ["nowhere/si.adiabat", "."])
def test_an_output_that_could_not_be_written_is_refused_before_the_work(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, out: str
) -> None:
    monkeypatch.setattr(module, "read", lambda *arguments, **named: pytest.fail("the work had begun"))
    assert out.split("/", maxsplit=1)[0] in refused(capsys, "train.xyz", "--out", out)


@pytest.fixture
def another(folder: Path) -> Path:
    """A potential whose basis can be taken."""
    trained().save(folder / "first.adiabat")
    return folder


def test_a_stored_basis_is_used_again(another: Path) -> None:
    assert run(["train", "train.xyz", "--out", "si.adiabat", "--basis-from", "first.adiabat"]) == 0
    first, second = learned("first.adiabat").basis, learned("si.adiabat").basis
    assert second.functions == first.functions
    assert (second.cutoff, second.inner) == (first.cutoff, first.inner)


def test_a_basis_setting_beside_a_stored_basis_has_no_effect_and_is_refused(
    another: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refused(
        capsys, "train.xyz", "--out", "s.adiabat", "--basis-from", "first.adiabat", "--set", "basis.size=small"
    )
    assert "basis.size would have no effect" in said


def test_a_potential_without_a_basis_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Potential([IsolatedAtoms({14: ISOLATED_EV}, "data", 4.0)]).save(folder / "atoms.adiabat")
    said = refused(capsys, "train.xyz", "--out", "si.adiabat", "--basis-from", "atoms.adiabat")
    assert "holds no linear ACE" in said


def test_a_split_is_written_and_kept_out_of_the_training(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_structures(folder / "train.xyz", [*labelled_cells(10), isolated_silicon()])
    settings = ("--set", "data.split.test_fraction=0.3", "--set", "data.split.seed=5")
    assert run(["train", "train.xyz", "--out", "si.adiabat", *FAST, *settings]) == 0
    assert names(folder) == {"train.xyz", "test.xyz", "si.adiabat", "si.adiabat.split.json"}
    part, rest = Split.load(folder / "si.adiabat.split.json").apply(read(folder / "train.xyz", quiet=True))
    assert (len(part), len(rest)) == (8, 3)
    assert load_potential("si.adiabat").metadata["training"]["rows"]["energy"] == 7
    assert "meV/atom" in capsys.readouterr().out


def test_a_refused_training_leaves_no_split(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_structures(folder / "train.xyz", [*labelled_cells(10), *conflicting(), isolated_silicon()])
    said = refused(capsys, "train.xyz", "--out", "si.adiabat", *FAST, "--set", "data.split.test_fraction=0.1")
    assert "conflicting-duplicates" in said


def conflicting() -> list[Labelled]:
    """The first two cells with other energies."""
    energies = [s.labels.energy for s in labelled_cells()]
    return [
        replace(s, labels=replace(s.labels, energy=energy + 3.0))
        for s, energy in zip(labelled_cells()[:2], energies, strict=False)
        if energy is not None
    ]


def test_a_finding_that_is_known_and_wanted_is_accepted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_structures(folder / "train.xyz", [*labelled_cells(5), *conflicting()[:1], isolated_silicon()])
    said = refused(capsys, "train.xyz", "--out", "si.adiabat", *FAST)
    assert "--accept conflicting-duplicates" in said
    assert run(["train", "train.xyz", "--out", "si.adiabat", *FAST, "--accept", "conflicting-duplicates"]) == 0
    assert load_potential("si.adiabat").metadata["configuration"]["accept"] == ["conflicting-duplicates"]


def test_labels_that_do_not_fit_together_are_refused_or_accepted(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gradients = [
        replace(s, labels=replace(s.labels, forces=-s.labels.forces, stress=None))
        for s in labelled_cells(12)
        if s.labels.forces is not None
    ]
    write_structures(folder / "train.xyz", gradients)
    said = refused(capsys, "train.xyz", "--out", "si.adiabat", *FAST)
    assert "energy-force-mismatch" in said
    assert "gradients?" in said
    # Labels that pull atoms into one another are no labels to mend holes with.
    accepted = [*FAST, "--set", "repulsion.enabled=false", "--accept", "energy-force-mismatch"]
    assert run(["train", "train.xyz", "--out", "si.adiabat", *accepted]) == 0


def frame(properties: str, *rows: str, comment: str = "REF_energy=-9.0") -> str:
    lattice = 'Lattice="5.0 0.0 0.0 0.0 5.0 0.0 0.0 0.0 5.0" pbc="T T T"'
    return "\n".join([str(len(rows)), f"{lattice} Properties=species:S:1:pos:R:3{properties} {comment}", *rows, ""])


BAD_FILES = {
    "no label": (frame("", "Si 0 0 0", "Si 0 0 2.4", comment=""), "holds no usable label"),
    "NaN forces": (
        frame(":REF_forces:R:3", "Si 0 0 0 0.1 0 0", "Si 0 0 2.4 nan 0 0"),
        "REF_forces of atom 1 (Si), component x, is nan",
    ),
    "NaN energy": (frame("", "Si 0 0 0", "Si 0 0 2.4", comment="REF_energy=nan"), "REF_energy is nan"),
    "infinite stress": (
        frame("", "Si 0 0 0", "Si 0 0 2.4", comment='REF_energy=-9.0 REF_stress="inf 0 0 0 0 0 0 0 0"'),
        "REF_stress is [inf",
    ),
    "a truncated frame": (frame("", "Si 0 0 0", "Si 0 0 2.4").rsplit("Si", 1)[0], "structure 0"),
    "an empty file": ("", "empty"),
    "atoms that coincide": (frame("", "Si 0 0 0", "Si 0 0 0.1"), "close-atoms"),
    "a flat cell": (
        frame("", "Si 0 0 0", "Si 0 0 2.4").replace("0.0 0.0 5.0", "0.0 0.0 0.0"),
        "train.xyz, structure 0: is periodic",
    ),
    "only isolated atoms": (
        frame("", "Si 0 0 0", comment="REF_energy=-9.0 config_type=IsolatedAtom"),
        "no structure with a label and more than one atom",
    ),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_training_data_are_refused_with_their_place(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    content, said = BAD_FILES[name]
    (folder / "train.xyz").write_text(content)
    assert said in refused(capsys, "train.xyz", "--out", "si.adiabat", *FAST)


def test_a_test_element_that_the_potential_would_not_know_is_refused_before_the_work(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argon = label(Atoms("Ar2", [[0, 0, 0], [0, 0, 3.8]]), rare_gas_potential())
    write_structures(folder / "test.xyz", [*labelled_cells(1), argon])
    said = refused(capsys, "train.xyz", "--out", "si.adiabat", "--test", "test.xyz", *FAST)
    assert "test.xyz, structure 1: holds Ar" in said


def rename_label(file: Path, old: str, new: str) -> None:
    file.write_text(file.read_text().replace(old, new))


@pytest.mark.parametrize(("asked", "there"), [("dft_energy", "REF_energy"), ("REF_energy", "dft_energy")])
def test_a_test_file_with_other_keys_than_the_training_data_is_refused_with_a_mend_that_helps(
    folder: Path, capsys: pytest.CaptureFixture[str], asked: str, there: str
) -> None:
    rename_label(folder / ("train.xyz" if asked == "dft_energy" else "test.xyz"), "REF_energy", "dft_energy")
    settings, own = ("--set", f"data.keys.energy={asked}"), f"data.keys.energy={there}"
    said = refused(capsys, "train.xyz", "--test", "test.xyz", "--out", "si.adiabat", *FAST, *settings)
    assert f"error: test.xyz: no structure has {asked}. The file holds per structure: " in said
    assert there in said.partition("rule:")[0]
    assert "rename the labels of one of the two files" in said
    assert f"adiabat evaluate si.adiabat test.xyz, with keys of its own (--set {own};" in said
    trained().save("si.adiabat")
    assert run(["evaluate", "si.adiabat", "test.xyz", "--set", own]) == 0


def test_test_structures_with_an_isolated_atom_are_fine_and_those_that_were_trained_on_are_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_structures(folder / "train.xyz", labelled_cells())
    moved = [replace(s, atoms=s.atoms.copy()) for s in labelled_cells(2)]
    for structure in moved:
        structure.atoms.translate([0.3, 0.1, 0.2])
    write_structures(folder / "test.xyz", [*labelled_cells(1, first_seed=100), isolated_silicon(), *moved])
    assert run(["train", "train.xyz", "--out", "si.adiabat", "--test", "test.xyz", *FAST]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "note: 2 of the 3 test structures are among those trained on, test.xyz, structure 2 for one" in said


@pytest.mark.parametrize(("new", "old", "said"), [(3, 0, []), (2, 1, ["1 of the 3"]), (0, 2, ["the"])])
def test_only_structures_that_were_trained_on_are_spoken_of(new: int, old: int, said: list[str]) -> None:
    tested = [*labelled_cells(new, first_seed=100), *labelled_cells(old), isolated_silicon()]
    found = list(module.repetition(tested, training_data()))
    assert [sentence.partition("note: ")[2].partition(" test structures")[0] for sentence in found] == said


def test_molecules_without_a_cell_train_evaluate_and_say_so(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shape = np.array([[0.0, 0.0, 0.0], [2.4, 0.0, 0.0], [1.2, 2.0, 0.0], [1.2, 0.7, 1.9]])
    rng = np.random.default_rng(0)
    molecules = [label(Atoms("Si4", shape + rng.normal(scale=0.1, size=(4, 3))), truth()) for _ in range(6)]
    write_structures(folder / "train.xyz", [*molecules[:5], isolated_silicon()])
    write_structures(folder / "test.xyz", molecules[5:])
    assert run(["train", "train.xyz", "--out", "si.adiabat", "--test", "test.xyz", *FAST]) == 0
    assert "5 energy, 60 forces" in " ".join(capsys.readouterr().out.split())


def test_notes_are_said_on_the_terminal(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "train.xyz", "--out", "si.adiabat", "--set", "basis.cutoff_angstrom=4.0"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "note: 217 labels are too few for the basis 'large': 'small' is taken" in printed


def test_a_full_disk_leaves_what_was_there_and_the_checkpoint(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "si.adiabat").write_text("an older potential")
    write_bytes = Path.write_bytes

    def full(self: Path, content: bytes) -> int:
        if "si.adiabat." in self.name:
            write_bytes(self, content[: len(content) // 2])
            raise OSError(28, "No space left on device")
        return write_bytes(self, content)

    with monkeypatch.context() as context:
        context.setattr(Path, "write_bytes", full)
        assert run(["train", "train.xyz", "--out", "si.adiabat", *FAST]) == 2
    said = capsys.readouterr().err
    assert "No space left on device" in said
    assert "Traceback" not in said
    assert (folder / "si.adiabat").read_text() == "an older potential"
    assert names(folder) == {"train.xyz", "test.xyz", "si.adiabat", "si.adiabat.checkpoint"}
    assert run(["train", "train.xyz", "--out", "si.adiabat", *FAST, "--resume"]) == 0
    assert names(folder) == {"train.xyz", "test.xyz", "si.adiabat"}
    assert learned("si.adiabat").species == (14,)


def test_a_run_that_did_not_end_is_not_overwritten(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checkpoint = folder / "si.adiabat.checkpoint"
    checkpoint.mkdir()
    (checkpoint / "equations.safetensors").write_bytes(b"what there was")
    assert "go on with --resume" in refused(capsys, "train.xyz", "--out", "si.adiabat", *FAST)


def test_noise_is_no_reason_to_refuse(folder: Path) -> None:
    write_structures(folder / "train.xyz", [*noisy(labelled_cells()), isolated_silicon()])
    assert run(["train", "train.xyz", "--out", "si.adiabat", *FAST]) == 0

"""Bad input on the command line: each error names the place, the rule and the mend, and nothing is written."""

import re
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import safetensors.torch
import torch
from ase import Atoms
from ase.io import write
from made_potentials import made_potential
from narrowing import read_all, read_one

from adiabat.cli.app import EXIT_FINE, EXIT_MISTAKE, run
from adiabat.data import demonstration_set
from adiabat.potential.document import FORMAT_VERSION

BROKEN = 5
"""The structure that is made bad; it has two atoms or more."""


def frames() -> list[Atoms]:
    return read_all(demonstration_set(), ":12")


def text_of(lines: slice) -> str:
    return "".join(demonstration_set().read_text().splitlines(keepends=True)[lines])


def first_frames() -> str:
    """The isolated atom, and the structure after it."""
    atoms = len(frames()[1])
    return text_of(slice(0, 3 + 2 + atoms))


def with_one(change: Callable[[Atoms], object]) -> list[Atoms]:
    found = frames()
    assert len(found[BROKEN]) > 1
    change(found[BROKEN])
    return found


def with_all(change: Callable[[Atoms], object]) -> list[Atoms]:
    found = frames()
    for atoms in found:
        change(atoms)
    return found


def rename(atoms: Atoms, old: str, new: str) -> None:
    for values in (atoms.info, atoms.arrays):
        if old in values:
            values[new] = values.pop(old)


def unlabel(atoms: Atoms) -> None:
    for values in (atoms.info, atoms.arrays):
        for name in [name for name in values if name.startswith("REF")]:
            del values[name]


def lose_forces(atoms: Atoms) -> None:
    atoms.arrays["REF_forces"][1] = np.nan


def flatten(atoms: Atoms) -> None:
    atoms.set_cell(np.diag([4.0, 4.0, 0.0]))
    atoms.pbc = True


BAD_DATA: dict[str, tuple[str | bytes | list[Atoms] | None, str]] = {
    "absent": (None, "does not exist"),
    "empty": ("", "is empty"),
    "blank": ("\n\n", "holds no structures"),
    "binary": (bytes(range(256)), "cannot be read"),
    "cut between rows": (first_frames().rsplit("\n", 3)[0] + "\n", "structure 1: ends after"),
    "cut within a row": (first_frames()[:-40], "structure 1: atom"),
    "headless": (text_of(slice(1, 3)), "structure 0: begins with"),
    "no element": (first_frames().replace("\nSi", "\nZz", 1), "structure 0: cannot be read"),
    "energy not a number": (with_one(lambda a: a.info.update(REF_energy=np.nan)), f"structure {BROKEN}: REF_energy is nan"),
    "energy infinite": (with_one(lambda a: a.info.update(REF_energy=np.inf)), f"structure {BROKEN}: REF_energy is inf"),
    "some atoms without forces": (with_one(lose_forces), f"structure {BROKEN}: REF_forces of atom 1 (Si), component x, is nan"),
    "flat cell": (with_one(flatten), f"structure {BROKEN}: is periodic along [True, True, True]"),
    "energies elsewhere": (with_all(lambda a: rename(a, "REF_energy", "dft_energy")), "--set data.keys.energy=dft_energy"),
    "forces elsewhere": (with_all(lambda a: rename(a, "REF_forces", "forces")), "--set data.keys.forces=forces"),
    "no labels": (with_all(unlabel), "holds no usable label"),
}  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a sound potential."""
    file = tmp_path_factory.mktemp("whole") / "p.adiabat"
    made_potential().save(file)
    return file.read_bytes()


@pytest.fixture
def folder(whole: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("sound.adiabat").write_bytes(whole)
    write("sound.xyz", frames(), format="extxyz")
    write("start.xyz", Atoms("Si2", [[0, 0, 0], [0, 0, 2.4]]), format="extxyz")
    return tmp_path


def refused(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> str:
    before = set(Path.cwd().rglob("*"))
    assert run(arguments) == EXIT_MISTAKE
    assert set(Path.cwd().rglob("*")) == before
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    assert "\n  rule: " in err
    assert "\n  mend: " in err
    return err


@pytest.mark.parametrize("command", ["check", "train", "evaluate"])
@pytest.mark.parametrize("name", BAD_DATA)
def test_data_that_cannot_be_used_are_refused(
    name: str, command: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content, said = BAD_DATA[name]
    match content:
        case str():
            Path("bad.xyz").write_text(content)
        case bytes():
            Path("bad.xyz").write_bytes(content)
        case list():
            write("bad.xyz", content, format="extxyz")
    arguments = {
        "check": ["check", "bad.xyz", "--json", "check.json", "--report", "check.html"],
        "train": ["train", "bad.xyz", "--out", "new.adiabat"],
        "evaluate": ["evaluate", "sound.adiabat", "bad.xyz", "--json", "errors.json", "--report", "errors.html"],
    }
    error = refused(capsys, arguments[command])
    assert error.startswith("error: bad.xyz")
    assert said in error


def damage(content: bytes) -> bytes:
    return content[:-20] + bytes(20)


def renumber(content: bytes) -> bytes:
    own = b'format_version\\": ' + str(FORMAT_VERSION).encode()
    assert own in content
    return content.replace(own, b'format_version\\": 9')


BAD_POTENTIALS: dict[str, tuple[Callable[[bytes], bytes] | None, str]] = {
    "absent": (None, "cannot be read: No such file"),
    "empty": (lambda _: b"", "is empty"),
    "cut": (lambda content: content[: len(content) // 2], "is damaged"),
    "damaged": (damage, "is damaged"),
    "newer": (renumber, "has the format version 9"),
    "a text": (lambda _: b"not a potential\n" * 30, "holds no adiabat potential"),
    "another's": (lambda _: safetensors.torch.save({"a": torch.zeros(2)}), "holds no adiabat potential"),
}


@pytest.mark.parametrize("command", ["info", "evaluate", "md", "train"])
@pytest.mark.parametrize("name", BAD_POTENTIALS)
def test_a_potential_file_that_cannot_be_used_is_refused(
    name: str, command: str, whole: bytes, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change, said = BAD_POTENTIALS[name]
    if change is not None:
        Path("bad.adiabat").write_bytes(change(whole))
    dynamics = ["--ensemble", "nve", "--temperature-k", "300", "--timestep-fs", "1", "--steps", "2"]
    arguments = {
        "info": ["info", "bad.adiabat", "--json", "info.json"],
        "evaluate": ["evaluate", "bad.adiabat", "sound.xyz", "--json", "errors.json", "--report", "errors.html"],
        "md": ["md", "bad.adiabat", "start.xyz", "--out", "run", *dynamics],
        "train": ["train", "sound.xyz", "--out", "new.adiabat", "--basis-from", "bad.adiabat"],
    }
    error = refused(capsys, arguments[command])
    assert error.startswith("error: bad.adiabat")
    assert said in error


@pytest.mark.parametrize(
    ("start", "said"),
    [
        ("blank.xyz", "holds no structure"),
        ("many.xyz", "holds 2 structures"),
        ("many.xyz@x", "many.xyz@x: 'x' selects no structures"),
        ("strange.xyz", "is Ge"),
        ("lost.xyz", "atom 0 has the position [nan"),
    ],
)
def test_a_start_that_cannot_be_simulated_is_refused(
    start: str, said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pair = Atoms("Si2", [[0, 0, 0], [0, 0, 2.4]])
    Path("blank.xyz").write_text("\n")
    write("many.xyz", [pair, pair], format="extxyz")
    write("strange.xyz", Atoms("Ge2", pair.positions), format="extxyz")
    write("lost.xyz", Atoms("Si2", [[np.nan, 0, 0], [0, 0, 2.4]]), format="extxyz")
    dynamics = ["--ensemble", "nve", "--temperature-k", "300", "--timestep-fs", "1", "--steps", "2"]
    assert said in refused(capsys, ["md", "sound.adiabat", start, "--out", "run", *dynamics])


DYNAMICS = ["--ensemble", "nve", "--temperature-k", "300", "--timestep-fs", "1", "--steps", "2"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check", "sound.xyz", "--json", "sound.xyz"], "sound.xyz: is read as FILE, and --json"),
        (["check", "sound.xyz", "--report", "link.xyz"], "link.xyz: is read as FILE, and --report"),
        (["check", "sound.xyz", "--json", "o", "--report", "./o"], "o: is the file of --json and of --report"),
        (["train", "sound.xyz", "--out", "./sound.xyz"], "sound.xyz: is read as DATA, and --out"),
        (["train", "sound.xyz", "--test", "test.xyz", "--out", "test.xyz"], "test.xyz: is read as --test"),
        (["train", "sound.xyz", "--config", "t.yaml", "--out", "t.yaml"], "t.yaml: is read as --config"),
        (["train", "sound.xyz", "--basis-from", "sound.adiabat", "--out", "sound.adiabat"], "is read as --basis-from"),
        (["evaluate", "sound.adiabat", "sound.xyz", "--json", "sound.adiabat"], "is read as POTENTIAL, and --json"),
        (["evaluate", "sound.adiabat", "sound.xyz", "--report", "sound.xyz"], "is read as DATA, and --report"),
        (["info", "sound.adiabat", "--json", "sound.adiabat"], "is read as POTENTIAL, and --json"),
        (["md", "sound.adiabat", "last_frame.xyz", "--out", ".", *DYNAMICS], "is read as START, and --out"),
        (["md", "sound.adiabat", "last_frame.xyz@-1", "--out", ".", *DYNAMICS], "is read as START, and --out"),
    ],
    ids=lambda value: " ".join(value[:8]) if isinstance(value, list) else "",
)
def test_an_output_does_not_take_the_place_of_what_is_read(
    arguments: list[str], said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write("test.xyz", frames(), format="extxyz")
    write("last_frame.xyz", read_one("start.xyz"), format="extxyz")
    Path("t.yaml").write_text("basis: {size: small}\n")
    Path("link.xyz").symlink_to("sound.xyz")
    before = {file: file.read_bytes() for file in Path.cwd().iterdir()}
    assert said in refused(capsys, arguments)
    assert {file: file.read_bytes() for file in Path.cwd().iterdir()} == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check", "sound.adiabat"], "sound.adiabat: is a safetensors file, as potentials"),
        (["train", "sound.adiabat", "--out", "new.adiabat"], "sound.adiabat: is a safetensors file, as potentials"),
        (["evaluate", "sound.xyz", "sound.adiabat"], "sound.xyz: holds no adiabat potential"),
        (["check", "trajectory.h5"], "trajectory_to_xyz('trajectory.h5', 'frames.xyz')"),
        (["md", "sound.adiabat", "trajectory.h5", "--out", "run", *DYNAMICS], "trajectory_to_xyz"),
        (["info", "start.xyz"], "start.xyz: holds no adiabat potential"),
        (["check", "."], ".: is a folder"),
        (["evaluate", ".", "sound.xyz"], ".: cannot be read: Is a directory"),
        (["evaluate", "sound.adiabat", "."], ".: is a folder"),
        (["info", "sound.adiabat", "--json", "none/info.json"], "none/info.json: its folder does not exist"),
        (["evaluate", "sound.adiabat", "sound.xyz", "--report", "none/r.html"], "its folder does not exist"),
        (["check", "sound.xyz", "--set", "data.kyes.energy=e"], "did you mean 'keys'?"),
        (["evaluate", "sound.adiabat", "sound.xyz", "--set", "keys.energy=e"], "did you mean 'data.keys'?"),
    ],
    ids=lambda value: " ".join(value[:4]) if isinstance(value, list) else "",
)
def test_files_and_settings_in_the_wrong_place_are_called_what_they_are(
    arguments: list[str], said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with h5py.File("trajectory.h5", "w"):
        pass
    assert said in refused(capsys, arguments)


def test_a_run_is_resumed_with_what_it_began_with(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["md", "sound.adiabat", "start.xyz", "--out", "run", *DYNAMICS]
    assert run(command) == EXIT_FINE
    write("other.xyz", Atoms("Si2", [[0, 0, 0], [0, 0, 2.5]]), format="extxyz")
    capsys.readouterr()
    other_start = [*command[:2], "other.xyz", *command[3:]]
    error = refused(capsys, [*other_start, "--resume"])
    assert re.search(r"of another run: start structure was [0-9a-f]{12}\.\.\., is now [0-9a-f]{12}\.\.\.\n", error)
    assert "timestep_fs was 1.0, is now 0.5" in refused(capsys, [*command, "--resume", "--timestep-fs", "0.5"])
    assert "steps: asks for 1 steps in all, 2 are done already" in refused(
        capsys, [*command, "--resume", "--steps", "1"]
    )

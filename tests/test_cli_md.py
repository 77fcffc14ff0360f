"""``adiabat md`` as a user meets it: what it prints, what it refuses, and how it ends."""

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from analytic_models import rare_gas_potential
from ase import Atoms, units
from ase.build import bulk
from ase.io import write
from narrowing import present, read_one

from adiabat.cli.app import EXIT_FINE, EXIT_FOUND, EXIT_MISTAKE, run
from adiabat.potential.file import save_potential
from adiabat.simulate import read_log, read_trajectory
from adiabat.simulate.live import LiveLine
from adiabat.simulate.observe import Observation


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    atoms = bulk("Ar", "fcc", a=5.3, cubic=True)
    save_potential(rare_gas_potential(), tmp_path / "ar.adiabat", canaries=[atoms])
    write(tmp_path / "start.xyz", atoms)
    return tmp_path


def md(*options: str, start: str = "start.xyz", potential: str = "ar.adiabat", ensemble: str = "nvt") -> int:
    given = dict(zip(options[::2], options[1::2], strict=False))
    defaults = {"--timestep-fs": "4", "--steps": "30", "--out": "run"}
    defaults |= {"--temperature-k": "50"} if ensemble == "nvt" else {}
    rest = [word for name, value in defaults.items() if name not in given for word in (name, value)]
    return run(["md", potential, start, "--ensemble", ensemble, *rest, *options])


def test_the_command_of_the_manual_runs(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert md() == EXIT_FINE

    out, err = capsys.readouterr()
    assert "30 steps, 0.12 ps of 4 atoms" in out
    assert "ns/day" in out
    assert "µs/atom/step" in out
    assert "velocities are drawn at 50 K with the seed 0" in err
    assert {file.name for file in (place / "run").iterdir()} == {
        ".lock",
        "trajectory.h5",
        "thermo.csv",
        "checkpoint.safetensors",
        "last_frame.xyz",
        "run.json",
        "summary.json",
    }
    assert len(read_trajectory(place / "run/trajectory.h5")) == 4


def test_settings_reach_the_run(place: Path) -> None:
    settings = ("--set", "output.trajectory_every=5", "--set", "output.log_every=3", "--set", "output.forces=true")
    assert md("--seed", "7", "--friction-per-fs", "0.05", *settings) == EXIT_FINE
    frames = read_trajectory(place / "run/trajectory.h5")
    assert len(frames) == 7
    assert frames[0].get_forces().shape == (4, 3)
    assert len(read_log(place / "run/thermo.csv")["step"]) == 11


def test_a_finished_run_goes_on_with_more_steps_and_a_last_frame_starts_another(place: Path) -> None:
    assert md() == EXIT_FINE
    assert md("--resume", "--steps", "50") == EXIT_FINE
    assert read_log(place / "run/thermo.csv")["step"][-1] == 50
    assert md("--out", "next", start="run/last_frame.xyz", ensemble="nve") == EXIT_FINE
    last, first = read_one(place / "run/last_frame.xyz"), read_trajectory(place / "next/trajectory.h5")[0]
    np.testing.assert_allclose(first.get_velocities(), last.get_velocities(), atol=1e-8)


NPT = ["--temperature-k", "50"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"ensemble": "nph"}, "'nve', 'nvt' or 'npt'"),
        ({"options": ["--steps", "0"]}, "--steps"),
        ({"options": ["--timestep-fs", "-1"]}, "--timestep-fs: is -1\n  rule: greater than 0"),
        ({"options": ["--timestep-fs", "nan"]}, "--timestep-fs"),
        ({"options": ["--friction-per-fs", "0.1", "--temperature-k", "9"], "ensemble": "nve"}, "no effect in nve"),
        ({"ensemble": "nve"}, "the start structure holds no velocities"),
        ({"options": ["--seed", "-4"]}, "--seed"),
        ({"options": ["--set", "output.log_evry=3"]}, "did you mean 'log_every'"),
        ({"options": ["--set", "steps=3"]}, "'steps' is given twice"),
        ({"options": ["--set", "steps"]}, "is given twice"),
        ({"start": "absent.xyz"}, "absent.xyz: does not exist"),
        ({"potential": "absent.adiabat"}, "absent.adiabat"),
        ({"start": "ar.adiabat"}, "ar.adiabat"),
        ({"start": "silicon.xyz"}, "silicon.xyz: atom 0 of the batch is Si"),
        ({"start": "two.xyz"}, "two.xyz: holds 2 structures"),
        ({"start": "two.xyz@5"}, "two.xyz@5: holds no such structure"),
        ({"start": "near.xyz"}, "near.xyz: atoms 0 (Ar) and 1 (Ar) are 0.100 Å apart"),
        ({"start": "flat.xyz"}, "flat.xyz"),
        ({"start": "cut.xyz"}, "cut.xyz"),
        ({"start": "empty.xyz"}, "empty.xyz: is empty"),
        ({"options": ["--out", "start.xyz"]}, "start.xyz: is a file"),
        ({"options": ["--out", "start.xyz/run"]}, "start.xyz/run: cannot be made"),
        ({"options": ["--temperature-k", "-1"]}, "--temperature-k: is -1\n  rule: greater than or equal to 0"),
        ({"options": [*NPT, "--pressure-gpa", "nan"], "ensemble": "npt"}, "--pressure-gpa"),
        ({"options": NPT, "ensemble": "npt"}, "npt needs a pressure"),
        (
            {"options": [*NPT, "--pressure-gpa", "0"], "ensemble": "npt", "start": "molecule.xyz"},
            "molecule.xyz: is periodic along",
        ),
        ({"options": ["--timestep-fs", "400"]}, "timestep_fs: "),
        (
            {"options": ["--thermostat", "csvr", "--thermostat-time-fs", "3"]},
            "not shorter than the time step, 4 fs; this one is 3 fs",
        ),
        ({"options": ["--friction-per-fs", "0.5"]}, "not shorter than the time step, 4 fs; this one is 2 fs"),
        (
            {"options": [*NPT, "--pressure-gpa", "0", "--barostat-time-fs", "1"], "ensemble": "npt"},
            "--barostat-time-fs",
        ),
        ({"options": ["--error-every", "5"]}, "does not estimate how sure its energies are"),
        ({"options": ["--error-above-mev", "5"]}, "has no effect without on_uncertain and error_every"),
        ({"options": ["--on-uncertain", "correct"]}, "no oracle was given"),
        ({"options": ["--oracle", "ar.adiabat"]}, "an oracle was given that nobody would ask"),
        ({"options": ["--timestep-fs", "0"]}, "mend: give another value\n"),
        ({"options": ["--friction-per-fs", "0"]}, "mend: give another value, or leave --friction-per-fs out"),
        ({"options": ["--threads", "100000"]}, "less than or equal to 1024"),
        ({"start": "."}, ".: is a folder"),
        ({"potential": "."}, ".: cannot be read: Is a directory"),
        ({"potential": "start.xyz", "start": "ar.adiabat"}, "ar.adiabat: is a safetensors file, as potentials"),
    ],
)
def test_mistakes_are_said_without_a_traceback_and_nothing_is_written(
    options: dict, said: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write("silicon.xyz", bulk("Si"))
    write("two.xyz", [Atoms("Ar"), Atoms("Ar")])
    write("molecule.xyz", Atoms("Ar2", positions=[[0, 0, 0], [3.8, 0, 0]]))
    write("near.xyz", Atoms("Ar2", positions=[[0, 0, 0], [0.1, 0, 0]]))
    Path("flat.xyz").write_text('1\nLattice="4 0 0 0 4 0 0 0 0" Properties=species:S:1:pos:R:3 pbc="T T T"\nAr 0 0 0\n')
    Path("cut.xyz").write_text("3\n\nAr 0 0 0\n")
    Path("empty.xyz").write_text("")
    words = options.pop("options", [])

    assert md(*words, **options) == EXIT_MISTAKE

    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error
    assert not (place / "run").exists()


@pytest.mark.parametrize(
    ("pressure", "compressibility", "said"),
    [
        ("100", "10", "a barostat strains a cell by at most 0.05 in one step"),
        ("5000", "0.001", "a cell stays thicker than 2 Å"),
    ],
)
def test_a_cell_that_collapses_ends_the_run_with_its_last_good_frame(
    place: Path, capsys: pytest.CaptureFixture[str], pressure: str, compressibility: str, said: str
) -> None:
    """A start of one atom in a thin cell, pressed harder than it holds."""
    thin = bulk("Ar", "fcc", a=5.3)
    write("thin.xyz", thin)
    words = ["--temperature-k", "50", "--pressure-gpa", pressure, "--steps", "3000"]
    status = md(*words, "--set", f"compressibility_per_gpa={compressibility}", start="thin.xyz", ensemble="npt")
    error = capsys.readouterr().err
    assert status == EXIT_MISTAKE
    assert said in error
    assert "mend: " in error
    assert "last_frame.xyz" in error
    assert len(read_trajectory(place / "run/trajectory.h5")) > 0


def test_a_trajectory_that_was_cut_short_is_analysed_up_to_the_cut(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert md("--steps", "400", "--set", "output.trajectory_every=1") == EXIT_FINE
    file = place / "run/trajectory.h5"
    content = file.read_bytes()
    file.write_bytes(content[: len(content) * 2 // 3])
    assert run(["analyse", "run", "rdf"]) == EXIT_FINE
    frames = int(capsys.readouterr().out.rpartition(" frames of 4 atoms")[0].rsplit(maxsplit=1)[-1].replace(",", ""))
    assert 2 < frames < 401


def test_a_run_is_not_written_over(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert md() == EXIT_FINE
    assert md() == EXIT_MISTAKE
    assert "--resume" in capsys.readouterr().err


def test_a_run_with_another_temperature_is_not_resumed(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert md() == EXIT_FINE
    assert md("--temperature-k", "51", "--resume") == EXIT_MISTAKE
    assert "temperature_k was 50.0, is now 51.0" in capsys.readouterr().err


def test_a_time_step_that_blows_up_ends_with_the_reason_and_the_last_good_frame(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert md("--timestep-fs", "100", "--temperature-k", "4000") == EXIT_MISTAKE
    error = capsys.readouterr().err
    assert "moved by" in error
    assert "a shorter time step" in error
    assert "the time step is 100 fs" in error
    assert "run/last_frame.xyz" in error
    assert np.isfinite(read_one(place / "run/last_frame.xyz").positions).all()


def test_velocities_of_the_start_are_used_in_nve(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    atoms = read_one("start.xyz")
    atoms.set_velocities(np.random.default_rng(0).normal(0, 1e-3, (4, 3)) / units.fs)
    write("moving.xyz", atoms)
    assert md(start="moving.xyz", ensemble="nve") == EXIT_FINE
    assert "velocities are those of the start structure" in capsys.readouterr().err
    assert md("--seed", "1", "--out", "other", start="moving.xyz", ensemble="nve") == EXIT_MISTAKE
    assert "seed: has no effect" in capsys.readouterr().err


COMMAND = (
    "import sys; sys.path.insert(0, {tests!r}); import analytic_models; from adiabat.cli.app import run; "
    "sys.exit(run(sys.argv[1:]))"
)


def test_a_terminal_shows_a_live_line_and_control_c_stops_with_a_checkpoint(place: Path) -> None:
    words = "md ar.adiabat start.xyz --ensemble nvt --temperature-k 50 --timestep-fs 4 --steps 1000000 --out run --threads 1"
    program = [sys.executable, "-c", COMMAND.format(tests=str(Path(__file__).parent)), *words.split()]
    terminal, side = pty.openpty()
    process = subprocess.Popen(
        program, stderr=side, stdout=subprocess.PIPE, text=True, env=os.environ | {"COLUMNS": "200"}
    )
    os.close(side)
    shown, deadline = "", time.monotonic() + 60
    while "left" not in shown and time.monotonic() < deadline:
        shown += os.read(terminal, 4096).decode(errors="replace")
    process.send_signal(signal.SIGINT)
    try:
        while piece := os.read(terminal, 4096):
            shown += piece.decode(errors="replace")
    except OSError:  # how a terminal says that its other side is closed
        pass
    assert process.wait(30) == EXIT_FOUND
    for word in ("step ", " T ", " K ", " eV ", "conserved", "ns/day", "µs/atom/step", "left", "go on with --resume"):
        assert word in shown
    assert read_log(place / "run/thermo.csv")["step"][-1] > 0
    printed = present(process.stdout)
    assert "steps," in printed.read()
    printed.close()
    os.close(terminal)


def test_elsewhere_there_is_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = [100.0]
    monkeypatch.setattr("adiabat.simulate.live.time.monotonic", lambda: clock[0])
    seen = Observation(20, 40.0, 301.4, -10.0, 0.5, -9.5, -9.5, None)
    with LiveLine(steps=100, done=0, timestep_fs=2.0, atoms=50) as live:
        live.update(0, lambda: seen)
        for step, now in ((1, 101.0), (20, 120.0), (21, 121.0)):
            clock[0] = now
            live.update(step, lambda: seen)
    with LiveLine(steps=100, done=0, timestep_fs=2.0, atoms=50, quiet=True) as live:
        clock[0] = 200.0
        live.update(20, lambda: seen)
    line = "step 20/100  T 301 K  E -9.5000 eV  conserved -9.5000 eV  0.173 ns/day  2e+04 µs/atom/step  1:20 left\n"
    assert capsys.readouterr().err == line


def test_the_example_of_the_help_is_the_command_that_runs(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert run(["md", "--help"]) == EXIT_FINE
    example = next(line for line in capsys.readouterr().out.splitlines() if "Example:" in line)
    words = example.partition("adiabat ")[2].split()
    (place / "ar.adiabat").rename(place / "si.adiabat")
    words[words.index("2000")] = "20"
    assert run(words) == EXIT_FINE


def test_constant_pressure_and_replicas_from_the_command_line(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--pressure-gpa", "0", "--temperature-k", "30:60", "--replicas", "2", "--barostat-time-fs", "400")
    assert md(*options, ensemble="npt") == EXIT_FINE
    out = capsys.readouterr().out
    assert "1: pressure, mean of the second half" in out
    volumes = [read_log(place / f"run/replica-{r}/thermo.csv")["volume_cubic_angstrom"] for r in (0, 1)]
    assert volumes[0][0] == volumes[1][0]
    assert volumes[0][-1] != volumes[1][-1]
    assert len(read_trajectory(place / "run/replica-1/trajectory.h5")) == 4


def test_all_structures_of_a_file_are_simulated_at_once_and_each_as_alone(place: Path) -> None:
    atoms = read_one("start.xyz")
    strained = atoms.copy()
    strained.set_cell(1.01 * atoms.cell.array, scale_atoms=True)
    write("both.xyz", [atoms, strained])
    assert md(start="both.xyz@:") == EXIT_FINE
    assert md("--out", "alone", start="both.xyz@0") == EXIT_FINE
    together, alone = (read_log(f"{run}/thermo.csv") for run in ("run/structure-0", "alone"))
    np.testing.assert_allclose(together["potential_energy_ev"], alone["potential_energy_ev"], rtol=1e-9)

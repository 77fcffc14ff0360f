"""``adiabat analyse``: from a run's folder to numbers, a page, or a refusal."""

import json
from pathlib import Path

import pytest
from analytic_models import rare_gas_potential
from ase import Atoms
from ase.build import bulk

from adiabat.cli.app import run
from adiabat.simulate import SimulationConfig, read_trajectory, simulate, simulate_batch


def argon() -> Atoms:
    atoms = bulk("Ar", "fcc", a=5.3, cubic=True) * (2, 2, 2)
    atoms.rattle(0.02, seed=0)
    return atoms


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """150 frames of 32 atoms at constant energy."""
    at = tmp_path_factory.mktemp("runs") / "nve"
    values = {"ensemble": "nve", "timestep_fs": 4.0, "steps": 300, "temperature_k": 40.0}
    config = SimulationConfig.parse(values | {"output": {"trajectory_every": 2, "log_every": 2}})
    simulate(argon(), rare_gas_potential(), config, folder=at, quiet=True)
    return at


def test_a_run_becomes_numbers_and_a_page(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outputs = [str(tmp_path / "results.json"), str(tmp_path / "report.html")]
    status = run(["analyse", str(folder), "rdf", "msd", "--json", outputs[0], "--report", outputs[1]])
    assert status == 0
    said = capsys.readouterr().out
    assert "151 frames of 32 atoms" in said
    assert "g(r) of Ar-Ar: highest at" in said
    assert "not diffusive" in said
    values = json.loads(Path(outputs[0]).read_text())
    assert values["ensemble"]["kind"] == "nve"
    rdf = values["observables"]["rdf"]
    assert len(rdf["edges_angstrom"]) == len(rdf["pairs"]["Ar-Ar"]["values_std"]) + 1
    assert "Radial distribution functions" in Path(outputs[1]).read_text()


def test_a_file_of_frames_is_read_as_a_run_is(folder: Path, tmp_path: Path) -> None:
    from ase.io import write

    frames = read_trajectory(folder / "trajectory.h5")
    write(tmp_path / "frames.xyz", frames, format="extxyz")
    by = {}
    for name, given, settings in (
        ("run", folder, []),
        ("file", tmp_path / "frames.xyz", ["--set", "interval_fs=8", "--set", "ensemble.kind=nve"]),
    ):
        target = tmp_path / f"{name}.json"
        assert run(["analyse", str(given), "rdf", "msd", "--json", str(target), *settings]) == 0
        by[name] = json.loads(target.read_text())["observables"]
    peak = [one["rdf"]["pairs"]["Ar-Ar"]["peak_height"] for one in by.values()]
    assert peak[0] == pytest.approx(peak[1], rel=0.02)  # text has fewer digits: atoms at the edges of bins change them
    d = [one["msd"]["species"]["Ar"]["msd_square_angstrom"][-1] for one in by.values()]
    assert d[0] == pytest.approx(d[1], rel=1e-4)


def test_frames_are_left_out_from_the_start(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["analyse", str(folder), "rdf", "--set", "skip_ps=0.2"]) == 0
    assert "126 frames" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gdr"], "'gdr' is no analysis"),
        (["rdf", "rdf"], "stands twice"),
        (["rdf", "--set", "interval_fs=1"], "would have no effect"),
        (["rdf", "--set", "skip_ps=5"], "holds 0 frames"),
        (["rdf", "--set", "rdf.cutoff=5"], "known keys: bin_angstrom, cutoff_angstrom"),
        (["msd", "--set", "skip_ps=0.5"], "128 frames or more"),
    ],
)
def test_mistakes_are_named(folder: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["analyse", str(folder), *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_langevin_run_has_a_distribution_but_no_diffusion(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = {"ensemble": "nvt", "timestep_fs": 4.0, "steps": 20, "temperature_k": 40.0}
    folder = tmp_path / "nvt"
    simulate(argon(), rare_gas_potential(), SimulationConfig.parse(values), folder=folder, quiet=True)
    assert run(["analyse", str(folder), "rdf"]) == 0
    assert "nvt (langevin, 40 K)" in capsys.readouterr().out
    assert run(["analyse", str(folder), "msd"]) == 2
    error = capsys.readouterr().err
    assert "the langevin thermostat pushed each atom" in error
    assert "run nve from the last frame" in error


def test_a_missing_run_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["analyse", str(tmp_path), "rdf"]) == 2
    assert "run.json: is no description of a run" in capsys.readouterr().err


def test_an_output_does_not_take_the_place_of_the_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["analyse", str(folder), "rdf", "--json", str(folder / "run.json")]) == 2
    assert "is read as RUN" in capsys.readouterr().err


def test_what_is_refused_is_said_and_stored_and_the_rest_is_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = {"ensemble": "nvt", "timestep_fs": 4.0, "steps": 20, "temperature_k": 40.0}
    simulate(argon(), rare_gas_potential(), SimulationConfig.parse(values), folder=tmp_path / "nvt", quiet=True)
    target = tmp_path / "results.json"
    assert run(["analyse", str(tmp_path / "nvt"), "msd", "rdf", "--json", str(target)]) == 2
    said = capsys.readouterr()
    assert "g(r) of Ar-Ar" in said.out
    assert "error: msd is refused: " in said.err
    stored = json.loads(target.read_text())
    assert list(stored["observables"]) == ["rdf"]
    assert "the langevin thermostat pushed each atom" in stored["refused"]["msd"]


def test_replicas_are_pooled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Means of what each gives by itself; errors of independent means add up in quadrature."""
    values = {"ensemble": "nvt", "timestep_fs": 4.0, "steps": 400, "temperature_k": 40.0, "replicas": 3}
    config = SimulationConfig.parse(values | {"output": {"trajectory_every": 4, "log_every": 4}})
    simulate_batch([argon()], rare_gas_potential(), config, folder=tmp_path / "run", quiet=True)
    target = tmp_path / "pooled.json"
    assert run(["analyse", str(tmp_path / "run"), "rdf", "averages", "--json", str(target)]) == 0
    assert "3 replicas of 32 atoms" in capsys.readouterr().out
    stored = json.loads(target.read_text())
    own = [stored["replicas"][f"replica-{n}"]["observables"]["averages"] for n in range(3)]
    found = stored["quantities"]["averages.temperature_k"]
    assert found["value"] == pytest.approx(sum(one["temperature_k"] for one in own) / 3)
    errors = [one["temperature_k_std"] for one in own]
    if None not in errors:
        assert found["value_std"] == pytest.approx(sum(error**2 for error in errors) ** 0.5 / 3)
    each = [stored["replicas"][f"replica-{n}"]["observables"]["rdf"]["pairs"]["Ar-Ar"]["values"] for n in range(3)]
    curve = stored["quantities"]["rdf.pairs.Ar-Ar.values"]["value"]
    assert curve == pytest.approx([sum(bins) / 3 for bins in zip(*each, strict=True)])


def test_replicas_at_several_temperatures_are_not_pooled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = {"ensemble": "nvt", "timestep_fs": 4.0, "steps": 20, "temperature_k": "40,60"}
    simulate_batch([argon()], rare_gas_potential(), SimulationConfig.parse(values), folder=tmp_path / "run", quiet=True)
    assert run(["analyse", str(tmp_path / "run"), "rdf"]) == 2
    assert "one system in one ensemble" in capsys.readouterr().err
    assert run(["analyse", str(tmp_path / "run/replica-1"), "rdf"]) == 0

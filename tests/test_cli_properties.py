"""The commands that measure properties, as a user meets them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.io import read, write
from training_structures import CONFIG, isolated_silicon, labelled_cells, noisy

from adiabat.cli.app import EXIT_FINE, EXIT_FOUND, EXIT_MISTAKE, run
from adiabat.training.train import fit

EMT = "ase.calculators.emt:EMT"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A potential of silicon that knows how sure it is."""
    file = tmp_path_factory.mktemp("trained") / "si.adiabat"
    fit([*noisy(labelled_cells(12)), isolated_silicon()], CONFIG, quiet=True).save(file)
    return file


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write("cu.xyz", bulk("Cu", a=3.5))
    write("si.xyz", bulk("Si", a=5.4))
    frames = [bulk("Cu", cubic=True, a=3.5), bulk("Au", cubic=True)]
    for seed, atoms in enumerate(frames):
        atoms.rattle(0.05, seed=seed)
    write("several.xyz", frames)
    return tmp_path


def written(file: str) -> dict[str, Any]:
    return json.loads(Path(file).read_text())


def test_structures_are_relaxed_and_written(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        run(["relax", EMT, "several.xyz", "--out", "relaxed.xyz", "--json", "r.json", "--report", "r.html"])
        == EXIT_FINE
    )
    found, frames = written("r.json"), read("relaxed.xyz", ":")

    assert isinstance(frames, list)
    assert found["converged"] == [True, True]
    assert found["energy_ev"] == pytest.approx([atoms.get_potential_energy() for atoms in frames], abs=1e-6)
    assert found["cell_lengths_angstrom"][0] == pytest.approx([3.59] * 3, abs=0.01)
    assert found["energy_ev_std"] is None
    assert "does not know how sure it is" in found["error_bars"]
    assert "Fm-3m" in capsys.readouterr().out
    assert "The way down" in (place / "r.html").read_text()


def test_what_does_not_come_to_rest_is_exit_status_1_with_advice(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["relax", EMT, "several.xyz", "--steps", "1"]) == EXIT_FOUND
    assert "structure 0, Cu4: not at rest" in capsys.readouterr().err


def test_elasticity_has_an_error_bar_beside_each_number(place: Path, trained: Path) -> None:
    assert (
        run(["elastic", str(trained), "si.xyz", "--members", "4", "--json", "e.json", "--report", "e.html"])
        == EXIT_FINE
    )
    found = written("e.json")

    assert np.shape(found["stiffness_gpa"]) == np.shape(found["stiffness_gpa_std"]) == (6, 6)
    assert found["bulk_modulus_gpa_std"] == pytest.approx(
        np.hypot(found["bulk_modulus_gpa_std_parametric"], found["bulk_modulus_gpa_std_misfit"])
    )
    assert found["bulk_modulus_gpa_std"] > 0
    assert found["members"] == 4
    assert "pressure_gpa_std" not in found


def test_an_equation_of_state_without_error_bars(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["eos", EMT, "cu.xyz", "--json", "o.json", "--report", "o.html"]) == EXIT_FINE
    found = written("o.json")

    assert found["bulk_modulus_gpa"] == pytest.approx(
        134.5, rel=0.02
    )  # K. W. Jacobsen et al., Surf. Sci. 366, 394 (1996)
    assert found["bulk_modulus_gpa_std"] is None
    assert "relaxed first" in capsys.readouterr().out


def test_phonons_of_copper_by_a_plain_calculator(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["phonons", EMT, "cu.xyz", "--repeats", "4,4,4", "--json", "p.json", "--report", "p.html"]) == EXIT_FINE
    found = written("p.json")

    assert found["repeats"] == [4, 4, 4]
    assert found["stable"]
    assert (
        5 < found["highest_frequency_thz"] < 9
    )  # of copper: 7.5 THz, E. C. Svensson et al., Phys. Rev. 155, 619 (1967)
    assert np.shape(found["special_frequencies_thz"])[1] == 3
    assert found["highest_frequency_thz_std"] is None
    assert "Speed of sound" in capsys.readouterr().out
    assert "Phonon dispersion" in (place / "p.html").read_text()


def test_vacancies_of_copper(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--chemical-potential", "Cu=-3.5"]
    assert (
        run(["vacancy", EMT, "cu.xyz", "--repeats", "3,3,3", *given, "--json", "v.json", "--report", "v.html"])
        == EXIT_FINE
    )
    found = written("v.json")

    assert found["elements"] == ["Cu"]
    assert found["chemical_potentials_ev"] == [-3.5]
    assert "Cu -3.5000 eV" in capsys.readouterr().out


def test_a_hop_has_a_barrier_and_a_rate(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    full = bulk("Cu", cubic=True, a=3.59).repeat((2, 2, 1))
    first, last = full[1:], full[1:]
    last.positions[0] = full.positions[0]
    write("first.xyz", first)
    write("last.xyz", last)
    arguments = ["neb", EMT, "first.xyz", "last.xyz", "--images", "3", "--force-tolerance", "0.05", "--out", "path.xyz"]
    assert run([*arguments, "--temperature-k", "600", "--json", "n.json", "--report", "n.html"]) == EXIT_FINE
    found, images = written("n.json"), read("path.xyz", ":")

    assert 0.1 < found["barrier_ev"] < 1.5
    assert found["barrier_ev_std"] is None
    assert len(found["rate_per_s"]) == 1
    assert len(images) == 5
    assert "Energy along the path" in (place / "n.html").read_text()
    assert run(["neb", EMT, "first.xyz", "cu.xyz"]) == EXIT_MISTAKE
    assert "both ends hold the same atoms" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["elastic", "eos", "phonons", "vacancy"])
def test_what_is_not_at_rest_is_refused_where_it_is_not_to_be_relaxed(
    place: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([command, EMT, "cu.xyz", "--no-relax"]) == EXIT_MISTAKE
    assert "a stress of" in capsys.readouterr().err


def test_mistakes_are_named(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write("molecule.xyz", Atoms("Cu2", positions=[[0, 0, 0], [0, 0, 2.2]]))
    for arguments, said in (
        (["relax", EMT, "molecule.xyz"], "no stress"),
        (["relax", EMT, "si.xyz"], "No EMT-potential for Si"),
        (["elastic", EMT, "molecule.xyz"], "periodic in three directions"),
        (["gruneisen", EMT, "cu.xyz", "--volume-change", "0.5", "--repeats", "5,5,5"], "by 0.5 of itself"),
        (["qha", EMT, "cu.xyz", "--volumes", "3", "--repeats", "5,5,5"], "3 volumes"),
        (["qha", EMT, "cu.xyz", "--to-k", "-5"], "--to-k"),
        (["gruneisen", EMT, "cu.xyz", "--born", "none", "--repeats", "5,5,5"], "cannot be read"),
        (["conductivity", EMT, "cu.xyz", "--mesh", "0,1,1"], "--mesh"),
        (["elastic", EMT, "several.xyz"], "holds 2 structures"),
        (["elastic", EMT, "cu.xyz", "--json", "cu.xyz"], "is read as STRUCTURE"),
        (["eos", EMT, "cu.xyz", "--points", "3"], "3 volumes"),
        (["phonons", EMT, "cu.xyz", "--repeats", "4,4"], "--repeats"),
        (["eos", EMT, "cu.xyz", "--members", "8"], "8 members of a potential that does not know how sure it is"),
        (["vacancy", EMT, "cu.xyz", "--chemical-potential", "Cu"], "--chemical-potential"),
        (["vacancy", EMT, "cu.xyz", "--chemical-potential", "Ag=1"], "'Ag' is given"),
        (["eos", EMT, "cu.xyz", "--no-error-bars", "--members", "8"], "--members"),
        (["elastic", "none.adiabat", "cu.xyz"], "none.adiabat"),
        (["elastic", "ase.calculators.emt:NONE", "cu.xyz"], "no calculator is made"),
    ):
        assert run(arguments) == EXIT_MISTAKE, arguments
        assert said in capsys.readouterr().err, arguments


@pytest.mark.parametrize(
    "command",
    [
        "relax",
        "elastic",
        "eos",
        "polymorphs",
        "phonons",
        "gruneisen",
        "qha",
        "conductivity",
        "vacancy",
        "interstitial",
        "surfaces",
        "neb",
        "sqs",
        "order",
        "alloy-vacancy",
        "antisite",
        "migration",
        "fault",
        "boundary",
        "segregation",
        "saddle",
        "screen",
        "landscape",
    ],
)
def test_each_command_explains_itself_with_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([command, "--help"]) == EXIT_FINE
    assert f"Example: adiabat {command} " in " ".join(capsys.readouterr().out.split())

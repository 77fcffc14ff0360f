"""Commands on alloys, boundaries and saddles: what a user does wrong is named, with the mend."""

from pathlib import Path

import pytest
from analytic_models import PairModel
from ase import Atoms
from ase.build import bulk
from ase.io import write

from adiabat.cli.app import EXIT_FOUND, EXIT_MISTAKE, run
from adiabat.potential import Potential
from adiabat.potential.file import save_potential

POTENTIAL = "potential.adiabat"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    crystal = bulk("Ar", a=5.35)
    model = PairModel(epsilon_ev={18: 0.5, 36: 0.55}, sigma={18: 3.40, 36: 3.45}, cutoff=5.2)
    save_potential(Potential([model]), tmp_path / POTENTIAL, canaries=[crystal])
    alloy = bulk("Ar", cubic=True, a=5.37).repeat(2)
    alloy.numbers[::2] = 36
    write("crystal.xyz", crystal)
    write("alloy.xyz", alloy)
    write("small.xyz", bulk("Ar", cubic=True, a=5.37))
    write("silicon.xyz", bulk("Si"))
    write("molecule.xyz", Atoms("Ar3", positions=[[0, 0, 0], [3.8, 0, 0], [1.9, 3.3, 0]]))
    write("two.xyz", [alloy, bulk("Ar", cubic=True, a=5.37).repeat(2)])
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sqs", "crystal.xyz", "--composition", "Xx", "--repeats", "2,2,2", "--out", "o.xyz"], "a formula"),
        (["sqs", "crystal.xyz", "--composition", "ArKr", "--repeats", "2,2", "--out", "o.xyz"], "--repeats"),
        (
            ["sqs", "crystal.xyz", "--composition", "Ar=99,Kr=1", "--repeats", "2,2,2", "--out", "o.xyz"],
            "0 atoms of Kr",
        ),
        (["sqs", "alloy.xyz", "--composition", "ArKr", "--repeats", "1,1,1", "--out", "o.xyz"], "one element"),
        (["sqs", "crystal.xyz", "--composition", "ArKr", "--repeats", "2,2,2", "--out", "crystal.xyz"], "is read as"),
        (["order", POTENTIAL, "crystal.xyz", "--temperature-k", "300"], "two sites or more"),
        (["order", POTENTIAL, "small.xyz", "--temperature-k", "300"], "all sites hold Ar"),
        (["order", POTENTIAL, "alloy.xyz", "--temperature-k", "-5"], "temperature_k"),
        (["order", POTENTIAL, "alloy.xyz", "--temperature-k", "300", "--chains", "2"], "4 independent chains"),
        (["order", POTENTIAL, "molecule.xyz", "--temperature-k", "300"], "periodic in three directions"),
        (["alloy-vacancy", POTENTIAL, "small.xyz", "--sites", "2"], "images of a defect"),
        (["alloy-vacancy", POTENTIAL, "alloy.xyz", "--sites", "500"], "500 sites"),
        (["alloy-vacancy", POTENTIAL, "two.xyz", "--sites", "4"], "the same elements"),
        (["alloy-vacancy", POTENTIAL, "alloy.xyz", "--sites", "2", "--chemical-potential", "W=1"], "'W' is given"),
        (["antisite", POTENTIAL, "crystal.xyz"], "all sites of Ar hold Ar"),
        (["antisite", POTENTIAL, "crystal.xyz", "--element", "W"], "W"),
        (["antisite", POTENTIAL, "crystal.xyz", "--element", "Kr", "--repeats", "1,1,1"], "images of a defect"),
        (["migration", POTENTIAL, "crystal.xyz", "--repeats", "2,2,2"], "images of a defect"),
        (["migration", POTENTIAL, "crystal.xyz", "--no-relax"], "a stress of"),
        (["fault", POTENTIAL, "crystal.xyz", "--plane", "1,1,1", "--direction", "1,1,1"], "slid along the plane"),
        (["fault", POTENTIAL, "crystal.xyz", "--plane", "1,1", "--direction", "1,-1,0"], "three whole numbers"),
        (["fault", POTENTIAL, "crystal.xyz", "--plane", "1,1,1", "--direction", "1,-1,0", "--length", "x"], "--length"),
        (["fault", POTENTIAL, "molecule.xyz", "--plane", "1,1,1", "--direction", "1,-1,0"], "a crystal is periodic"),
        (["boundary", POTENTIAL, "small.xyz", "--plane", "2,1,0", "--no-relax"], "at rest"),
        (["migration", POTENTIAL, "small.xyz", "--no-relax"], "at rest"),
        (["boundary", POTENTIAL, "crystal.xyz", "--plane", "1,0,0"], "mirror plane"),
        (["boundary", POTENTIAL, "crystal.xyz", "--plane", "2,2,2"], "common divisor"),
        (["boundary", POTENTIAL, "silicon.xyz", "--plane", "1,1,1"], "Si"),
        (
            ["segregation", POTENTIAL, "alloy.xyz", "--element", "Kr", "--share", "0.1", "--temperature-k", "300"],
            "bicrystal",
        ),
        (["segregation", POTENTIAL, "small.xyz", "--element", "Kr", "--temperature-k", "300"], "one of the two"),
        (["saddle", POTENTIAL, "crystal.xyz", "--center", "4"], "an atom from 0 to 0"),
        (["saddle", POTENTIAL, "silicon.xyz"], "Si"),
        (["screen", POTENTIAL, "alloy.xyz"], "one after the other"),
        (["screen", POTENTIAL, "two.xyz"], "none of 1 paths"),
        (["landscape", POTENTIAL, "crystal.xyz"], "two atoms or more"),
        (["landscape", POTENTIAL, "small.xyz", "--starts", "0"], "0 starts"),
        (["landscape", POTENTIAL, "small.xyz", "--reference", "none.adiabat"], "none.adiabat"),
    ],
    ids=lambda value: " ".join(value[:1] + value[2:3]) if isinstance(value, list) else "",
)
def test_mistakes_are_named(place: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == EXIT_MISTAKE
    error = capsys.readouterr().err
    assert said in error
    assert "rule:" in error or "mend:" in error


def test_a_search_without_a_saddle_is_exit_status_1_with_advice(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["saddle", POTENTIAL, "molecule.xyz", "--searches", "2", "--steps", "2"]) == EXIT_FOUND
    assert "no saddle was found" in " ".join(capsys.readouterr().out.split())

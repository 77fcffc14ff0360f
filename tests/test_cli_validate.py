"""``adiabat validate``: from files to a verdict, an exit status and a page."""

import json
from pathlib import Path

import pytest
from analytic_models import rare_gas_potential
from ase import Atoms
from ase.build import bulk
from ase.io import write

from adiabat.cli.app import run

SHORT = ["timestep_fs=5", "replicas=1", "settle_ps=0.1", "nvt_ps=0.1", "nve_ps=0.3", "hot_ps=0.1"]
SETTINGS = [word for setting in SHORT for word in ("--set", setting)]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A potential, a start near its equilibrium, and one that is not."""
    folder = tmp_path_factory.mktemp("validate")
    crystal = bulk("Ar", "fcc", a=5.3, cubic=True)
    potential = rare_gas_potential()
    potential.save(folder / "argon.adiabat", canaries=[crystal])
    write(folder / "start.xyz", crystal)
    wide = crystal.copy()
    wide.set_cell(crystal.cell.array * 1.25, scale_atoms=True)
    write(folder / "wide.xyz", wide)
    write(folder / "xenon.xyz", Atoms("Xe2", positions=[[0, 0, 0], [0, 0, 4]]))
    return folder


def arguments(files: Path, start: str, *more: str) -> list[str]:
    return ["validate", str(files / "argon.adiabat"), "--start", str(files / start), "--temperature-k", "20", *more]


def test_a_sound_potential_passes(files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outputs = ["--json", str(tmp_path / "validate.json"), "--report", str(tmp_path / "report.html")]
    assert run(arguments(files, "start.xyz", *SETTINGS, *outputs)) == 0
    said = capsys.readouterr().out
    assert "passed  locality" in said
    assert "FAILED" not in said
    values = json.loads((tmp_path / "validate.json").read_text())
    assert values["passed"] is True
    assert {"name", "passed", "value", "limit", "unit", "reason"} == set(values["checks"][0])
    page = (tmp_path / "report.html").read_text()
    assert "Validation of argon.adiabat" in page
    assert "Compression and expansion" in page


def test_a_failed_check_is_the_exit_status(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments(files, "wide.xyz", *SETTINGS)) == 1
    assert "FAILED  compression and expansion: the energy is lowest at" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("start", "more", "said"),
    [
        ("start.xyz", ["--temperature-k", "-5"], "temperature_k: is -5"),
        ("start.xyz", ["--set", "limits.force=1"], "unknown key 'force'"),
        ("start.xyz", ["--data", "missing.xyz"], "missing.xyz"),
        ("missing.xyz", [], "missing.xyz"),
        ("xenon.xyz", [], "holds Xe"),
    ],
)
def test_mistakes_are_named(
    files: Path, start: str, more: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments(files, start, *more)) == 2
    assert said in capsys.readouterr().err

"""What a potential says of itself, in Python and on the command line."""

import json
from pathlib import Path

import pytest
from analytic_models import rare_gas_potential
from ase.build import bulk
from made_potentials import made_potential

from adiabat.cli.app import run
from adiabat.models import LinearACE
from adiabat.potential import Potential, describe_potential


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("info") / "silica.adiabat"
    made_potential().save(file, canaries=[bulk("SiO", "zincblende", a=3.4)])
    return file


def test_a_description_holds_species_cutoff_parts_and_what_was_stored() -> None:
    potential = made_potential()

    found = describe_potential(potential)

    expansion = potential.parts[2]
    assert isinstance(expansion, LinearACE)
    basis = expansion.basis
    assert found.species == ("O", "Si")
    assert found.cutoff_angstrom == found.interaction_range_angstrom == 4.5
    assert [part.kind for part in found.parts] == ["isolated_atoms", "zbl", "linear_ace"]
    assert (found.parts[2].functions, found.parts[2].parameters) == (basis.n_functions, 2 * basis.n_functions)
    assert found.parts[2].details.startswith(f"up to {len(basis.products) + 1}-body")
    assert found.parts[0].details == "O -432.0000 eV, Si -158.5000 eV (a fitted reference shift)"
    assert "O-Si 0.70 to 1.50 Å" in found.parts[1].details
    assert found.metadata == potential.metadata


def test_a_part_of_an_unforeseen_kind_is_described_by_what_every_model_says() -> None:
    (part,) = describe_potential(rare_gas_potential()).parts

    assert (part.kind, part.cutoff_angstrom, part.functions, part.parameters) == ("test_pair", 7.0, None, None)


def test_the_command_says_what_a_file_holds(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["info", str(file)]) == 0

    out = " ".join(capsys.readouterr().out.split())
    for said in (
        "O, Si",
        "4.50 Å",
        "eV/Å³",
        "linear_ace",
        "repulsion of nuclei",
        "10 structures",
        "adiabat 0.1.0",
        "OSi",
    ):
        assert said in out
    # 3 meV/atom, 0.06 eV/Å, and 0.002 eV/Å³ in GPa
    for said in ("energy 10 2.0", "3.0", "0.060", "0.32", "GPa", "note: O-O: no pair in the data"):
        assert said in out


def test_the_command_writes_everything_as_json(file: Path, tmp_path: Path) -> None:
    assert run(["info", str(file), "--json", str(tmp_path / "info.json")]) == 0

    found = json.loads((tmp_path / "info.json").read_text())
    assert found["schema_version"] == 1
    assert found["species"] == ["O", "Si"]
    assert found["canaries"] == ["OSi"]
    assert found["units"]["stress"] == "eV/Å³, positive under tension"
    assert found["metadata"]["configuration"] == {"seed": 1}


def test_a_potential_without_a_history_is_described_without_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Potential(made_potential().parts).save(tmp_path / "plain.adiabat")

    assert run(["info", str(tmp_path / "plain.adiabat")]) == 0

    out = capsys.readouterr().out
    assert "Training" not in out
    assert "fingerprint" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none.adiabat"], "none.adiabat: cannot be read: No such file or directory"),
        (["foreign.adiabat"], "holds no adiabat potential"),
        (["SILICA", "--json", "none/info.json"], "its folder does not exist"),
        ([], "Missing argument"),
    ],
)
def test_a_mistake_is_said_without_a_traceback(
    file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("foreign.adiabat").write_text("something else")

    assert run(["info", *(str(file) if argument == "SILICA" else argument for argument in arguments)]) == 2

    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ""
    assert "Traceback" not in captured.err

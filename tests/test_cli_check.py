"""``adiabat check``: what it prints, writes and returns."""

import json
from pathlib import Path

import pytest
from labelled_structures import frame, write

from adiabat.cli.app import run


def check(*arguments: object) -> int:
    return run(["check", *map(str, arguments)])


def test_a_clean_file_is_described_and_gives_zero(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(
        tmp_path,
        frame("REF_energy=-9.0 config_type=bulk"),
        frame("REF_energy=-9.1 config_type=gas").replace("2.4", "2.5"),
    )
    assert check(file) == 0
    said = capsys.readouterr().out
    assert "nothing wrong was found" in said
    for part in ("Species", "bulk", "gas", "Ranges", "Shortest distances", "Si-Si", "2.4"):
        assert part in said


def test_findings_give_one_and_are_printed_with_place_rule_and_mend(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path, frame(), frame())
    assert check(file) == 1
    said = capsys.readouterr().out
    for part in ("warning", "duplicate-structures", "place", "rule", "mend", "1 finding"):
        assert part in said


def test_an_accepted_finding_gives_zero_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path, frame(), frame())
    assert check(file, "--accept", "duplicate-structures") == 0
    assert "accepted" in capsys.readouterr().out


def test_accepting_what_was_not_found_is_a_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path, frame(), frame())
    assert check(file, "--accept", "duplicate-structure") == 2
    assert "did you mean 'duplicate-structures'" in capsys.readouterr().err


def test_json_and_report_are_written(tmp_path: Path) -> None:
    file = write(tmp_path, frame(), frame())
    assert check(file, "--json", tmp_path / "check.json", "--report", tmp_path / "check.html") == 1
    values = json.loads((tmp_path / "check.json").read_text())
    assert values["clean"] is False
    assert values["findings"][0]["name"] == "duplicate-structures"
    assert values["description"]["structures"] == 2
    assert "duplicate-structures" in (tmp_path / "check.html").read_text()


def test_an_output_that_cannot_be_written_is_refused_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path, frame(), frame())
    assert check(file, "--json", tmp_path / "none" / "check.json") == 2
    shown = capsys.readouterr()
    assert "its folder does not exist" in shown.err
    assert shown.out == ""


def test_keys_are_set_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path, frame("energy=-9.0").replace("REF_forces", "forces"))
    assert check(file) == 2
    mend = "--set data.keys.energy=energy --set data.keys.forces=forces"
    assert mend in capsys.readouterr().err
    assert check(file, *mend.split()) == 0
    assert check(file, "--set", "data.keys.energy=energy", "--set", "data.keys.forces=null") == 0


def test_an_unknown_key_names_the_nearest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path, frame())
    assert check(file, "--set", "data.keys.energi=energy") == 2
    assert "did you mean 'energy'" in capsys.readouterr().err
    assert check(file, "--set", "data.split.seed=1") == 2  # it would have no effect here
    assert "unknown key 'split'" in capsys.readouterr().err


def test_isolated_atoms_are_configured_by_symbol(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path, frame())
    assert check(file, "--set", "data.isolated_atoms_ev.Si=-1.0") == 0
    assert "configuration" in capsys.readouterr().out
    assert check(file, "--set", "data.isolated_atoms_ev.Si=100.0") == 1
    assert "isolated-atom-energy" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "3\n", frame()[:-20], frame("REF_energy=nan")])
def test_a_bad_file_gives_two_and_a_message_without_a_traceback(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(write(tmp_path, text), "--json", tmp_path / "check.json") == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: {tmp_path / 'data.xyz'}")
    assert "Traceback" not in said
    assert not (tmp_path / "check.json").exists()


def test_help_ends_with_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert check("--help") == 0
    assert "Example: adiabat check train.xyz" in capsys.readouterr().out

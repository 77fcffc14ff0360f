"""Labels by an oracle in a process of its own: EMT of ASE, and calculators that go wrong on purpose."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.io import write

import adiabat
from adiabat.cli.app import run
from adiabat.errors import ConfigurationError, LabelStoreError, OracleError, OutputError
from adiabat.learning import LabelStore, Oracle, OracleProcess, Workers, examine, label
from adiabat.learning.answer import Answer
from adiabat.learning.gate import answer_held_back
from adiabat.system import Labelled, Labels

HERE = Path(__file__).parent
EMT_ORACLE = "ase.calculators.emt:EMT"


def rattled(count: int, *, first_seed: int = 0) -> list[Labelled]:
    found = []
    for seed in range(first_seed, first_seed + count):
        atoms = bulk("Cu", cubic=True)
        atoms.rattle(0.1, seed=seed)
        found.append(Labelled(atoms, config_type="rattled", place=f"structure {seed}"))
    return found


def faulty(fault: str, **settings: object) -> Oracle:
    return Oracle.named("faulty_calculators:make", settings={"fault": fault, **settings})


@pytest.fixture(autouse=True)
def _import_from_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(HERE))


def test_labels_are_what_the_code_says(tmp_path: Path) -> None:
    structures = rattled(3)
    summary = label(structures, Oracle.named(EMT_ORACLE), tmp_path / "labels.db", workers=Workers(2), quiet=True)
    assert summary.is_complete
    stored = LabelStore(tmp_path / "labels.db").labelled()
    for given, found in zip(structures, stored, strict=True):
        atoms = given.atoms.copy()
        atoms.calc = EMT()
        assert found.labels.energy == pytest.approx(atoms.get_potential_energy(force_consistent=True), abs=1e-12)
        assert found.labels.forces is not None
        assert found.labels.stress is not None
        np.testing.assert_allclose(found.labels.forces, atoms.get_forces(), atol=1e-12)
        np.testing.assert_allclose(found.labels.stress, atoms.get_stress(voigt=False), atol=1e-14)
        assert found.config_type == "rattled"
        assert found.atoms == given.atoms


def test_the_energy_stored_is_the_one_whose_derivatives_forces_are(tmp_path: Path) -> None:
    """A calculator with smearing has two; the extrapolated one stands beside it."""
    label(rattled(1), faulty("smeared"), tmp_path / "labels.db", quiet=True)
    [found] = LabelStore(tmp_path / "labels.db").labelled()
    atoms = rattled(1)[0].atoms
    atoms.calc = EMT()
    assert found.labels.energy == pytest.approx(atoms.get_potential_energy() - 0.5)


def test_a_code_that_does_not_say_which_energy_forces_are_of_is_counted_as_such(tmp_path: Path) -> None:
    counts = [
        label(rattled(2), faulty(fault), tmp_path / f"{number}.db", quiet=True).unnamed_energies
        for number, fault in enumerate(("one energy", "none"))
    ]
    assert counts == [2, 0]


@pytest.mark.parametrize(
    ("fault", "sort", "said"),
    [
        ("raises", "failed", "RuntimeError: a wrong input"),
        ("dies", "failed", "its process has ended, with status 7"),
        ("does not converge", "rejected", "did not converge"),
        ("says that it did not converge", "failed", "SCF did not converge"),
        ("NaN", "rejected", "not finite"),
        ("net force", "rejected", "do not sum to zero: 1"),
        ("one force too few", "rejected", "not one force for each atom"),
    ],
)
def test_what_is_no_label_is_held_back_with_the_reason(tmp_path: Path, fault: str, sort: str, said: str) -> None:
    summary = label(rattled(2), faulty(fault), tmp_path / "labels.db", quiet=True)
    assert summary.done == 0
    reasons = getattr(summary, sort)
    assert len(reasons) == 2
    assert all(said in reason for reason in reasons.values())


def test_an_oracle_that_falls_silent_is_ended(tmp_path: Path) -> None:
    summary = label(rattled(1), faulty("sleeps"), tmp_path / "labels.db", workers=Workers(timeout_s=1.0), quiet=True)
    assert list(summary.failed.values()) == ["no answer within 1 s"]


def test_an_oracle_that_dies_now_and_then_is_started_again(tmp_path: Path) -> None:
    """It dies on every other structure that it is asked for, and only on the first attempt."""
    counter = tmp_path / "asked"
    counter.write_text("0")
    summary = label(rattled(4), faulty("dies once", counter=str(counter)), tmp_path / "labels.db", quiet=True)
    assert (summary.done, summary.failed) == (4, {})


def test_what_a_code_prints_is_no_answer(tmp_path: Path) -> None:
    assert label(rattled(2), faulty("prints"), tmp_path / "labels.db", quiet=True).done == 2


def test_structures_that_come_again_are_asked_for_once(tmp_path: Path) -> None:
    [first] = rattled(1)
    moved = replace(first, atoms=first.atoms.copy())
    moved.atoms.positions += [0.3, 0.1, 0.2]
    summary = label([first, first, moved], Oracle.named(EMT_ORACLE), tmp_path / "labels.db", quiet=True)
    assert (summary.done, summary.repeated) == (1, 1)
    assert "again, moved, wrapped" in next(iter(summary.rejected.values()))


def test_atoms_on_top_of_each_other_are_not_asked_for(tmp_path: Path) -> None:
    atoms = bulk("Cu", cubic=True)
    atoms.positions[1] = atoms.positions[0] + [0.1, 0, 0]
    summary = label([Labelled(atoms)], faulty("dies"), tmp_path / "labels.db", quiet=True)
    assert "0.100 Å apart" in next(iter(summary.rejected.values()))


def test_an_energy_out_of_line_is_held_back() -> None:
    def labelled(seed: int, raised_ev: float = 0.0) -> Labelled:
        [structure] = rattled(1, first_seed=seed)
        atoms = structure.atoms.copy()
        atoms.calc = EMT()
        labels = Labels(float(atoms.get_potential_energy()) + raised_ev, atoms.get_forces())
        return replace(structure, labels=labels)

    others = [labelled(seed) for seed in range(25)]
    sound, raised = labelled(30), labelled(30, raised_ev=12.0)
    assert answer_held_back(sound, Answer(sound.labels, 0.0, True, 1.0), others) is None
    reason = answer_held_back(raised, Answer(raised.labels, 0.0, True, 1.0), others)
    assert reason is not None
    assert reason.startswith("the energy is out of line")


def test_nonsense_among_the_first_labels_is_held_back() -> None:
    """Beside one label of the same elements, in whatever number; other elements say nothing of it."""
    atom, [crystal] = Labelled(bulk("Cu"), Labels(-3.0, np.zeros((1, 3)))), rattled(1)
    said = {energy: Answer(Labels(energy, np.zeros((4, 3))), energy, True, 1.0) for energy in (-14.0, 1e6)}
    assert answer_held_back(crystal, said[-14.0], [atom]) is None
    assert "out of line: 2.5e+05 eV/atom" in str(answer_held_back(crystal, said[1e6], [atom]))
    silver = Labelled(bulk("Ag"), Labels(-3.0, np.zeros((1, 3))))
    assert answer_held_back(crystal, said[1e6], [silver]) is None


def test_labels_made_otherwise_are_refused(tmp_path: Path) -> None:
    label(rattled(1), Oracle.named(EMT_ORACLE), tmp_path / "labels.db", quiet=True)
    other = Oracle.named(EMT_ORACLE, settings={"asap_cutoff": True})
    with pytest.raises(LabelStoreError, match=r"made otherwise \(asap_cutoff: None there, True now\)"):
        label(rattled(2), other, tmp_path / "labels.db", quiet=True)


def test_a_store_that_is_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "labels.db").write_text("no database " * 200)
    with pytest.raises(LabelStoreError, match="file is not a database"):
        label(rattled(1), Oracle.named(EMT_ORACLE), tmp_path / "labels.db", quiet=True)


def test_two_processes_do_not_label_into_one_store(tmp_path: Path) -> None:
    from adiabat.runs import claimed

    store = tmp_path / "labels.db"
    with (
        claimed(tmp_path / "labels.db.lock", what=store),
        pytest.raises(OutputError, match="in use by another process"),
    ):
        label(rattled(1), Oracle.named(EMT_ORACLE), store, quiet=True)


def test_labelling_goes_on_where_it_was_killed(tmp_path: Path) -> None:
    """kill -9 in the middle of labels: what was done stays, what was running is asked again, nothing is done twice."""
    write(tmp_path / "structures.xyz", [one.atoms for one in rattled(8)])
    counter = tmp_path / "asked"
    counter.write_text("0")
    arguments = [
        *("label", str(tmp_path / "structures.xyz"), "--out", str(tmp_path / "labelled.xyz")),
        *("--oracle", "faulty_calculators:make", "--oracle-set", "fault=slow"),
        *("--oracle-set", f"counter={counter}"),
    ]
    process = subprocess.Popen(
        [sys.executable, "-c", "from adiabat.cli import main; main()", *arguments], start_new_session=True
    )
    while int(counter.read_text() or 0) < 3:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    done = LabelStore(tmp_path / "labelled.db").counts().get("done", 0)
    assert 1 <= done < 8
    counter.write_text("0")
    assert run(arguments) == 0
    assert int(counter.read_text()) == 8 - done
    assert len(adiabat.read(tmp_path / "labelled.xyz")) == 8


def test_the_command_says_what_failed_and_writes_what_did_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    close = bulk("Cu", cubic=True)
    close.positions[1] = close.positions[0] + [0.1, 0, 0]
    write(tmp_path / "structures.xyz", [*(one.atoms for one in rattled(2)), close])
    arguments = ["label", str(tmp_path / "structures.xyz"), "--oracle", EMT_ORACLE, "--out", str(tmp_path / "out.xyz")]
    assert run([*arguments, "--json", str(tmp_path / "summary.json")]) == 1
    said = capsys.readouterr().out
    assert "held back: out.db, request 3 (default): two atoms are 0.100 Å apart" in said
    assert "2 labels by ase.calculators.emt:EMT" in said
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert (summary["done"], summary["code"]["code"]) == (2, EMT_ORACLE)
    labelled = adiabat.read(tmp_path / "out.xyz")
    assert all(one.labels.stress is not None and one.labels.forces is not None for one in labelled)


@pytest.mark.parametrize(
    ("oracle", "error", "said"),
    [
        ("vasp", ConfigurationError, "there is no oracle 'vasp'"),
        ("no_such_module:make", OracleError, "No module named 'no_such_module'"),
        ("ase.calculators.emt:TME", OracleError, "has no 'TME'"),
    ],
)
def test_an_oracle_that_is_not_there_says_so(tmp_path: Path, oracle: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        label(rattled(1), Oracle.named(oracle), tmp_path / "labels.db", quiet=True)


def test_a_python_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(OracleError, match="No such file"):
        OracleProcess(Oracle.named(EMT_ORACLE, python="/nowhere/python"), tmp_path)


def test_a_setting_that_a_code_does_not_know_is_refused(tmp_path: Path) -> None:
    sys.path.insert(0, str(Path(adiabat.__file__).parent / "learning" / "inside"))
    try:
        from settings import completed  # pyright: ignore[reportMissingImports]
    finally:
        sys.path.pop(0)
    with pytest.raises(ValueError, match="did you mean 'cutoff_ev'"):
        completed({"cutof_ev": 1}, {"cutoff_ev": 400})


def test_an_oracle_whose_forces_are_no_derivatives_is_found_out(tmp_path: Path) -> None:
    found = examine(faulty("forces of the wrong sign"), tmp_path, atoms=rattled(1)[0].atoms)
    assert found.reason is not None
    assert "from the derivative of the energy" in found.reason


def test_an_oracle_that_says_the_truth_is_found_well(tmp_path: Path) -> None:
    found = examine(faulty("none"), tmp_path, atoms=rattled(1)[0].atoms)
    assert found.reason is None
    assert found.force_difference_ev_per_angstrom is not None
    assert found.force_difference_ev_per_angstrom < 1e-6
    assert found.stress_difference_gpa is not None
    assert found.stress_difference_gpa < 1e-3


def test_the_doctor_refuses_settings_of_no_oracle(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--oracle-set", "xc=PBE"]) == 2
    assert "xc without an oracle" in capsys.readouterr().err


def test_the_doctor_examines_any_calculator(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "copper.xyz", rattled(1)[0].atoms)
    file = tmp_path / "doctor.json"
    arguments = ["doctor", "--structure", str(tmp_path / "copper.xyz"), "--json", str(file)]
    assert run([*arguments, "--oracle", EMT_ORACLE]) == 0
    assert json.loads(file.read_text())["oracles"][0]["reason"] is None
    assert run(["doctor", "--oracle", EMT_ORACLE]) == 1
    assert "No EMT-potential for Si" in capsys.readouterr().out

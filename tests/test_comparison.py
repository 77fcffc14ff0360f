"""The table of the comparison: what stands in it, and what must never be left out."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from rivals.catalogue import ENTRIES, REFERENCE, Entry
from rivals.failure import last_words
from rivals.page import page, table
from rivals.row import Row, load_rows, save_rows

RIVAL = next(entry for entry in ENTRIES if entry.label == "LAMMPS SNAP")


def timed(entry: Entry, microseconds: list[float], **said: Any) -> Row:
    return Row(entry, microseconds=microseconds, **said)


def test_ratios_pair_the_times_of_a_round() -> None:
    reference = timed(REFERENCE, [1.0, 10.0, 2.0])
    rival = timed(RIVAL, [4.0, 50.0, 12.0])

    quartiles = rival.slower_than(reference)

    assert rival.speed == 12.0
    assert quartiles == pytest.approx([4.5, 5.0, 5.5])  # of 4, 5 and 6; the medians' ratio would be 6


def test_a_rival_that_failed_is_named_with_the_reason() -> None:
    rows = [timed(REFERENCE, [1.0]), Row(RIVAL, problem="installation failed: no such package")]

    last = table(rows, rows[0]).splitlines()[-1]

    assert last.startswith("| LAMMPS SNAP | **installation failed: no such package** |")


def test_the_reason_is_the_last_error_that_a_program_printed() -> None:
    said = "Collecting it\nERROR: no matching distribution for it\n\nhint: look it up\n"

    assert last_words(said) == "ERROR: no matching distribution for it"
    assert last_words("ValueError: so it is\nRMS error: 0.1\n") == "ValueError: so it is"
    assert last_words("nothing wrong\nstopped\n") == "stopped"
    assert last_words("") == "it said nothing"


def test_errors_are_of_energies_per_atom_and_of_all_components() -> None:
    atoms = Atoms("Si2", info={"REF_energy": -10.0})
    atoms.arrays["REF_forces"] = np.zeros((2, 3))
    row = Row(RIVAL)

    row.compare({"energies": [-10.5], "forces": [[[0.3, 0, 0], [0, 0, -0.3]]]}, [atoms])

    assert row.energy_mae == pytest.approx(250.0)  # meV/atom
    assert row.force_mae == pytest.approx(0.1)


def test_a_page_can_be_written_again_from_what_was_kept(tmp_path: Path) -> None:
    rows = [timed(REFERENCE, [1.0, 2.0], force_mae=0.06, energy_mae=2.0), Row(RIVAL, problem="it would not")]

    save_rows(tmp_path / "results.json", "a machine", rows)
    said, kept = load_rows(tmp_path / "results.json")

    assert page(kept, kept[0], said) == page(rows, rows[0], "a machine")

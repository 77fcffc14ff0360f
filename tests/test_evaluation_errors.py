"""The errors of a potential whose errors are known in closed form."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from evaluated_structures import POTENTIAL, labelled, numbered, rattled, typed

from adiabat.evaluation import error_sentences, evaluate
from adiabat.units import GPA_PER_EV_PER_CUBIC_ANGSTROM

OFFS = (0.008, -0.016, 0.024)
"""eV of structures with 8 atoms: 1, -2 and 3 meV/atom."""


def test_energy_errors_are_per_structure_and_per_atom() -> None:
    found = evaluate(POTENTIAL, numbered(OFFS), quiet=True)
    assert found.energy_mae_mev == pytest.approx(16.0)
    assert found.energy_rmse_mev == pytest.approx(8 * np.sqrt(14 / 3))
    assert found.energy_mae_mev_per_atom == pytest.approx(2.0)
    assert found.energy_rmse_mev_per_atom == pytest.approx(np.sqrt(14 / 3))


def test_each_structure_counts_once_in_the_energy_per_atom() -> None:
    small = labelled(rattled(0, repeat=1), energy_off=0.001)
    large = labelled(rattled(1, repeat=2), energy_off=0.024)
    found = evaluate(POTENTIAL, [small, large], quiet=True)
    assert found.energy_mae_mev_per_atom == pytest.approx((1.0 + 3.0) / 2)


def test_force_and_stress_errors_are_over_components() -> None:
    structures = [
        labelled(rattled(0), forces_off=0.1, stress_off=0.001),
        labelled(rattled(1), forces_off=-0.3, stress_off=-0.003),
    ]
    found = evaluate(POTENTIAL, structures, quiet=True)
    assert found.force_mae_ev_per_angstrom == pytest.approx(0.2)
    assert found.force_rmse_ev_per_angstrom == pytest.approx(np.sqrt(0.05))
    assert found.stress_mae_gpa == pytest.approx(0.002 * GPA_PER_EV_PER_CUBIC_ANGSTROM)


def test_a_stress_error_counts_each_of_the_six_components_once() -> None:
    structure = labelled(rattled(0))
    assert structure.labels.stress is not None
    structure.labels.stress[0, 1] += 0.006
    structure.labels.stress[1, 0] += 0.006
    found = evaluate(POTENTIAL, [structure], quiet=True)
    assert found.stress_mae_gpa == pytest.approx(0.001 * GPA_PER_EV_PER_CUBIC_ANGSTROM)


def test_the_largest_errors_say_where_they_are() -> None:
    structures = numbered(OFFS)
    assert structures[1].labels.forces is not None
    structures[1].labels.forces[5, 2] += 1.5
    found = evaluate(POTENTIAL, structures, quiet=True)
    assert found.energy_largest_mev_per_atom == pytest.approx(3.0)
    assert found.energy_largest_place == "memory, structure 2"
    assert found.force_largest_ev_per_angstrom == pytest.approx(1.5)
    assert found.force_largest_place == "memory, structure 1, atom 5"


def test_labels_that_are_missing_give_null_never_zero() -> None:
    found = evaluate(POTENTIAL, numbered(OFFS, forces_off=None, stress_off=None), quiet=True).to_dict()
    for name in ("force_mae_ev_per_angstrom", "force_rmse_ev_per_angstrom", "stress_mae_gpa", "stress_largest_place"):
        assert found[name] is None
    assert (found["energy_labels"], found["force_labels"], found["stress_labels"]) == (3, 0, 0)


def test_structures_with_different_labels_each_count_where_they_have_one() -> None:
    structures = [
        labelled(rattled(0), energy_off=0.008, forces_off=None, stress_off=None),
        labelled(rattled(1), energy_off=None, forces_off=0.5, stress_off=None),
        labelled(rattled(2), energy_off=0.024, forces_off=None, stress_off=0.001),
    ]
    found = evaluate(POTENTIAL, structures, quiet=True)
    assert (found.energy_labels, found.force_labels, found.stress_labels) == (2, 1, 1)
    assert found.energy_mae_mev_per_atom == pytest.approx(2.0)
    assert found.force_mae_ev_per_angstrom == pytest.approx(0.5)


def test_config_types_have_errors_of_their_own() -> None:
    structures = [
        labelled(rattled(0), energy_off=0.008, config_type="bulk"),
        labelled(rattled(1), energy_off=0.024, config_type="surface"),
        labelled(rattled(2), energy_off=0.024, config_type="bulk"),
    ]
    found = evaluate(POTENTIAL, structures, quiet=True)
    assert list(found.by_config_type) == ["bulk", "surface"]
    assert found.by_config_type["bulk"].energy_mae_mev_per_atom == pytest.approx(2.0)
    assert found.by_config_type["bulk"].configurations == 2
    assert found.by_config_type["surface"].energy_mae_mev_per_atom == pytest.approx(3.0)


def test_the_json_holds_the_errors_and_no_arrays(tmp_path: Path) -> None:
    evaluate(POTENTIAL, typed(["a"] * 4 + ["b"] * 6), quiet=True).save(tmp_path / "errors.json")
    found = json.loads((tmp_path / "errors.json").read_text())
    expected = {
        "schema_version", "adiabat_version", "configurations", "by_config_type", "left_out", "energy_mae_mev",
        "energy_rmse_mev", "energy_mae_mev_per_atom", "energy_rmse_mev_per_atom", "force_mae_ev_per_angstrom",
        "force_rmse_ev_per_angstrom", "stress_mae_gpa", "bootstrap_samples", "bootstrap_seed",
    }  # fmt: skip
    assert expected <= set(found)
    assert "comparison" not in found
    assert found["configurations"] == 10
    low, high = found["energy_mae_mev_per_atom_interval_95"]
    assert low < found["energy_mae_mev_per_atom"] < high
    assert found["by_config_type"]["a"]["energy_mae_mev_per_atom_interval_95"] is None
    assert found["by_config_type"]["b"]["configurations"] == 6


def test_intervals_are_over_groups_and_say_so() -> None:
    structures = typed(["default"] * 12)
    grouped = [replace(one, group=f"trajectory {number // 2}") for number, one in enumerate(structures)]
    alone, together = (evaluate(POTENTIAL, each, quiet=True) for each in (structures, grouped))

    assert (alone.energy_independent, together.energy_independent) == (12, 6)
    assert alone.energy_mae_mev_per_atom == together.energy_mae_mev_per_atom
    assert alone.energy_mae_mev_per_atom_interval_95 != together.energy_mae_mev_per_atom_interval_95
    assert "by bootstrap over 12 structures)" in error_sentences(alone)[1]
    assert "by bootstrap over 6 groups of 12 structures)" in error_sentences(together)[1]

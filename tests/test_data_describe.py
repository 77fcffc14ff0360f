"""The description of a data set, and the page that shows it."""

import json
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from labelled_structures import labelled, sound_silicon

from adiabat.data import check, describe, page
from adiabat.results import Bars
from adiabat.system import Labelled
from adiabat.units import GPA_PER_EV_PER_CUBIC_ANGSTROM


def mixed() -> list[Labelled]:
    box = {"cell": [4.0, 4.0, 4.0], "pbc": True}
    water = Atoms("OHH", [[0, 0, 0], [1.0, 0, 0], [0, 1.0, 0]], **box)
    stress = np.array([[-0.1, 0.02, 0], [0.02, -0.2, 0], [0, 0, -0.3]])
    forces = np.array([[0.3, 0.4, 0], [-0.3, 0, 0], [0, -0.4, 0]])
    return [
        labelled(water, "data.xyz, structure 0", "liquid", energy=-30.0, forces=forces, stress=stress),
        labelled(Atoms("HO", [[0, 0, 0], [1.5, 0, 0]]), "data.xyz, structure 1", "gas", energy=-22.0),
        labelled(Atoms("H"), "data.xyz, structure 2", "IsolatedAtom", energy=-3.0),
        labelled(Atoms("O"), "data.xyz, structure 3", "IsolatedAtom", energy=-15.0),
    ]


def test_species_and_kinds_are_counted() -> None:
    description = describe(mixed())
    assert (description.structures, description.atoms) == (4, 7)
    assert [(s.symbol, s.atoms, s.structures) for s in description.species] == [("H", 4, 3), ("O", 3, 3)]
    kinds = [
        (c.config_type, c.structures, c.with_energy, c.with_forces, c.with_stress) for c in description.config_types
    ]
    assert kinds == [("liquid", 1, 1, 1, 1), ("gas", 1, 1, 0, 0), ("IsolatedAtom", 2, 2, 0, 0)]


def test_ranges_are_those_of_the_labels() -> None:
    description = describe(mixed())
    energy, pressure, force = (
        description.energy_per_atom_ev,
        description.pressure_gpa,
        description.force_ev_per_angstrom,
    )
    assert energy is not None
    assert (energy.minimum, energy.maximum) == pytest.approx((-9.0 / 3, -4.0 / 2))
    assert description.energy_reference == "isolated atoms of the data"
    assert pressure is not None
    assert pressure.median == pytest.approx(0.2 * GPA_PER_EV_PER_CUBIC_ANGSTROM)
    assert description.shear_stress_gpa is not None
    assert description.shear_stress_gpa.median == pytest.approx(0.02 * GPA_PER_EV_PER_CUBIC_ANGSTROM)
    assert force is not None
    assert (force.minimum, force.median, force.maximum) == pytest.approx((0.3, 0.4, 0.5))
    assert description.volume_per_atom_cubic_angstrom is not None
    assert description.volume_per_atom_cubic_angstrom.median == pytest.approx(64 / 3)
    assert description.shortest_distances_angstrom == pytest.approx({"H-H": np.sqrt(2), "H-O": 1.0, "O-O": 4.0})


def test_what_is_not_there_is_none_and_has_no_histogram() -> None:
    description = describe(
        [labelled(Atoms("H2", [[0, 0, 0], [0.8, 0, 0]]), forces=np.array([[1.0, 0, 0], [-1.0, 0, 0]]))]
    )
    assert description.energy_per_atom_ev is None
    assert description.energy_reference is None
    assert description.pressure_gpa is None
    assert description.volume_per_atom_cubic_angstrom is None
    assert set(description.histograms) == {"force", "distance"}


def test_references_of_several_sources_are_named_with_their_species() -> None:
    data = [structure for structure in mixed() if structure.place != "data.xyz, structure 3"]
    said = describe(data).energy_reference
    assert said == "isolated atoms of the data (H); least-squares energies per species (O)"
    assert describe(data, isolated_atoms_ev={"O": -15.0}).energy_reference == (
        "isolated atoms of the data (H); isolated atoms of the configuration (O)"
    )


def test_a_histogram_counts_every_value_even_if_all_are_the_same() -> None:
    histograms = describe(sound_silicon(5)).histograms
    assert histograms["force"].counts.sum() == 5 * 8 * 3
    one = describe([labelled(Atoms("H2", [[0, 0, 0], [0.8, 0, 0]]), energy=-1e6)]).histograms
    assert one["energy"].counts.sum() == 1
    assert (np.diff(one["energy"].edges) > 0).all()


def test_the_result_is_json_with_versions_and_null_for_what_is_absent(tmp_path: Path) -> None:
    check(mixed(), quiet=True).save(tmp_path / "check.json")
    values = json.loads((tmp_path / "check.json").read_text())
    assert values["schema_version"] == 1
    assert values["clean"] is True
    assert values["description"]["species"][0]["symbol"] == "H"
    assert values["description"]["shortest_distances_angstrom"]["H-O"] == pytest.approx(1.0)


def test_the_page_shows_findings_first_and_a_figure_for_each_histogram() -> None:
    data = sound_silicon()
    data.append(data[0])
    result = check(data, quiet=True)
    shown = page(result.description, result.findings)
    assert shown.tables[0].name == "findings"
    assert shown.tables[0].rows[0][0] == "duplicate-structures"
    assert len({figure.name for figure in shown.figures}) == len(result.description.histograms) == 5
    for figure in shown.figures:
        (bars,) = figure.marks
        assert isinstance(bars, Bars)
        assert len(bars.edges) == len(bars.heights) + 1
    assert all(len(row) == len(table.columns) for table in shown.tables for row in table.rows)


def test_a_note_on_undetermined_references_is_on_the_page() -> None:
    description = describe([labelled(Atoms("OHH", [[0, 0, 0], [1.0, 0, 0], [0, 1.0, 0]]), energy=-14.0)])
    assert any("+1 H -2 O" in sentence for sentence in page(description, ()).summary)

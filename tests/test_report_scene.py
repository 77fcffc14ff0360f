"""Structures in three dimensions: bonds, the cell, colours."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule

from adiabat.report.scene import scene
from adiabat.results import StructureView


def view_of(atoms: Atoms, values: np.ndarray | None = None) -> StructureView:
    return StructureView("v", "title", atoms, values=values, value_label="force error (eV/Å)")


def test_water_has_two_bonds_each_drawn_from_both_ends() -> None:
    atoms = molecule("H2O")
    halves = np.array(scene(view_of(atoms))["bonds"])
    middles = {tuple(middle) for middle in halves[:, 1].round(2)}
    oxygen, first, second = atoms.positions
    assert len(halves) == 4
    assert middles == {tuple(((oxygen + hydrogen) / 2).round(2)) for hydrogen in (first, second)}


def test_diamond_has_four_bonds_per_atom_also_across_the_faces_of_its_cell() -> None:
    halves = np.array(scene(view_of(bulk("Si")))["bonds"])
    assert len(halves) == 8
    assert np.linalg.norm(halves[:, 1] - halves[:, 0], axis=1) == pytest.approx(5.43 * np.sqrt(3) / 8, abs=2e-3)


@pytest.mark.parametrize(("directions", "edges"), [(0, 0), (1, 1), (2, 4), (3, 12)])
def test_the_cell_has_the_edges_that_its_periodic_directions_span(directions: int, edges: int) -> None:
    cell, pbc = np.array([[3.0, 0, 0], [1.0, 4.0, 0], [0.5, 0.5, 5.0]]), np.arange(3) < directions
    drawn = np.array(scene(view_of(Atoms("H", cell=cell, pbc=pbc)))["cell"]).reshape(-1, 2, 3)
    assert len(drawn) == edges
    assert len({tuple(np.sort(edge, axis=0).ravel()) for edge in drawn}) == edges


def test_the_bonds_of_a_close_packed_metal_are_not_drawn() -> None:
    assert scene(view_of(bulk("Cu")))["bonds"] == []
    assert len(scene(view_of(bulk("NaCl", "rocksalt", a=5.64)))["bonds"]) == 12


def test_the_corners_of_a_triclinic_cell_are_the_sums_of_its_vectors() -> None:
    cell = np.array([[3.0, 0, 0], [1.0, 4.0, 0], [0.5, 0.5, 5.0]])
    corners = {tuple(corner) for edge in scene(view_of(Atoms("H", cell=cell, pbc=True)))["cell"] for corner in edge}
    assert corners == {tuple(np.array([i, j, k]) @ cell) for i in (0, 1) for j in (0, 1) for k in (0, 1)}


def test_radii_follow_covalent_radii_and_colours_are_jmols() -> None:
    drawn = scene(view_of(Atoms("CO", [[0, 0, 0], [0, 0, 1.1]])))
    assert drawn["colours"] == ["#909090", "#ff0d0d"]
    assert drawn["radii"][0] / drawn["radii"][1] == pytest.approx(0.76 / 0.66, rel=0.01)


def test_values_colour_atoms_and_stand_in_their_texts() -> None:
    drawn = scene(view_of(Atoms("CO", [[0, 0, 0], [0, 0, 1.1]]), np.array([0.25, 0.5])))
    assert drawn["values"] == [0.25, 0.5]
    assert drawn["texts"] == ["C 0<br>force error (eV/Å): 0.25", "O 1<br>force error (eV/Å): 0.5"]


@pytest.mark.parametrize("values", [np.zeros(3), np.array([0.0, np.nan])], ids=["one too many", "not a number"])
def test_values_that_do_not_belong_to_the_atoms_are_refused(values: np.ndarray) -> None:
    with pytest.raises(ValueError, match="each of its 2 atoms"):
        scene(view_of(Atoms("CO", [[0, 0, 0], [0, 0, 1.1]]), values))

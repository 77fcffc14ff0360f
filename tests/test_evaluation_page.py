"""The page of an evaluation, as data."""

import numpy as np
import pytest
from ase import Atoms
from evaluated_structures import POTENTIAL, labelled, numbered, rattled, typed
from torch import Tensor

from adiabat.evaluation import LearningCurve, evaluate, evaluation_page
from adiabat.models import IsolatedAtoms
from adiabat.potential import Potential
from adiabat.results import Bars, Figure, Line, Page, Points
from adiabat.system import Graph, Labelled, Labels


def page_of(structures: list[Labelled], potential: Potential = POTENTIAL) -> Page:
    return evaluation_page(evaluate(potential, structures, quiet=True))


def figure_named(page: Page, name: str) -> Figure:
    return next(figure for figure in page.figures if figure.name == name)


def points_in(figure: Figure) -> list[Points]:
    return [mark for mark in figure.marks if isinstance(mark, Points)]


def first_coordinate(graph: Graph) -> Tensor:
    return 1.0 + graph.batch.positions[:, 0].abs()


def test_there_is_a_parity_plot_and_a_histogram_for_each_kind_of_label_that_there_is() -> None:
    assert [figure.name for figure in page_of(typed(["a", "b"])).figures] == [
        "energy-parity", "force-parity", "stress-parity", "energy-errors", "force-errors", "stress-errors",
    ]  # fmt: skip
    without = page_of(numbered([0.0], forces_off=None, stress_off=None))
    assert [figure.name for figure in without.figures] == ["energy-parity", "energy-errors"]
    assert "Force: no reference labels." in without.summary


def test_a_parity_plot_shows_reference_across_and_prediction_upward() -> None:
    structure = labelled(rattled(0), forces_off=0.5)
    [points] = points_in(figure_named(page_of([structure]), "force-parity"))
    assert structure.labels.forces is not None
    assert points.x == pytest.approx(structure.labels.forces.ravel())
    assert points.y - points.x == pytest.approx(np.full(24, 0.5))
    assert points.texts is not None
    assert points.texts[4] == "memory, structure 0, atom 1 (Ar), y"


def test_energies_are_counted_from_the_atoms_of_the_potential() -> None:
    shifted = Potential([*POTENTIAL.parts, IsolatedAtoms({18: -100.0, 36: -50.0}, "configuration", 7.0)])
    bare = labelled(rattled(0), energy_off=0.0)
    assert bare.labels.energy is not None
    structure = Labelled(bare.atoms, Labels(energy=bare.labels.energy - 800.0))
    figure = figure_named(page_of([structure], shifted), "energy-parity")
    assert points_in(figure)[0].x == pytest.approx([bare.labels.energy / 8])
    assert "atomic energies" in figure.note


def test_histograms_count_every_error_once_around_zero() -> None:
    [bars] = figure_named(page_of(typed(["a", "b", "c"])), "force-errors").marks
    assert isinstance(bars, Bars)
    assert bars.heights.sum() == 3 * 24
    assert bars.edges[0] == pytest.approx(-bars.edges[-1])
    assert len(bars.heights) % 2 == 1


def test_more_kinds_than_colours_are_shown_as_one() -> None:
    kinds = [*"abcde" * 2, *"fghijk"]
    series = points_in(figure_named(page_of(typed(kinds)), "energy-parity"))
    assert [points.name for points in series] == [*"abcde", "6 other types"]
    assert sum(len(points.x) for points in series) == len(kinds)


def test_the_worst_structures_come_first_and_are_coloured_by_force_error() -> None:
    structures = typed(["a"] * 9)
    forces = structures[4].labels.forces
    assert forces is not None
    forces[3] += [0.0, 3.0, 4.0]
    page = page_of(structures)
    assert len(page.structures) == 6
    worst = page.structures[0]
    assert worst.title.startswith("memory, structure 4 (a)")
    assert worst.values is not None
    assert int(worst.values.argmax()) == 3
    assert worst.values.max() == pytest.approx(5.0, abs=0.2)
    assert next(table for table in page.tables if table.name == "worst").rows[0][0] == "memory, structure 4"


def test_without_forces_the_worst_have_the_largest_energy_error_per_atom() -> None:
    page = page_of(numbered([0.001, -0.02, 0.004], forces_off=None, stress_off=None))
    assert [view.title.split(" (")[0] for view in page.structures] == [f"memory, structure {n}" for n in (1, 2, 0)]
    assert page.structures[0].values is None


def test_the_table_has_all_structures_first_and_then_each_kind() -> None:
    table = page_of(typed(["bulk", "bulk", "surface"])).tables[0]
    assert [(row[0], row[1]) for row in table.rows] == [("all", 3), ("bulk", 2), ("surface", 1)]
    assert [row[0] for row in page_of(typed(["bulk", "bulk"])).tables[0].rows] == ["all"]


def test_what_was_left_out_is_on_the_page() -> None:
    page = page_of([*numbered([0.0]), Labelled(rattled(1), place="memory, structure 1")])
    assert any("Left out of all numbers: 1 structure;" in sentence for sentence in page.summary)
    table = next(table for table in page.tables if table.name == "left-out")
    assert table.rows == (("memory, structure 1", "default", "it has no label"),)


def test_a_page_without_distances_says_so() -> None:
    page = page_of(typed(["a"]))
    assert any("distance from the training data are not shown" in sentence for sentence in page.summary)


def test_errors_stand_against_the_distance_of_their_atom() -> None:
    structures = [labelled(rattled(0), forces_off=0.1), labelled(rattled(1), forces_off=0.2)]
    evaluation = evaluate(POTENTIAL, structures, distance=first_coordinate, quiet=True)
    page = evaluation_page(evaluation)
    figure = figure_named(page, "distance")
    [points] = points_in(figure)
    expected = np.concatenate([1 + np.abs(structure.atoms.positions[:, 0]) for structure in structures])
    assert points.x == pytest.approx(expected)
    assert points.y == pytest.approx(np.repeat([0.1, 0.2], 8) * np.sqrt(3))
    assert not any("not shown" in sentence for sentence in page.summary)
    median, upper = [mark for mark in figure.marks if isinstance(mark, Line)]
    assert (median.y <= upper.y).all()
    assert (np.diff(median.x) >= 0).all()


def test_atoms_whose_force_vanishes_by_symmetry_are_counted_not_drawn() -> None:
    lone = Labelled(Atoms("Ar"), Labels(energy=0.0, forces=np.zeros((1, 3))))
    structures = [labelled(rattled(0), forces_off=0.1), lone]
    evaluation = evaluate(POTENTIAL, structures, distance=first_coordinate, quiet=True)
    figure = figure_named(evaluation_page(evaluation), "distance")
    assert len(points_in(figure)[0].x) == 8
    assert "Not shown: 1 of 9 atoms" in figure.note


def test_a_learning_curve_is_shown_where_it_is_given() -> None:
    curve = LearningCurve("training structures", (10, 40, 160), (9.0, 4.0, 2.0), (None, None, None), "test.xyz")
    page = evaluation_page(evaluate(POTENTIAL, typed(["a"]), quiet=True), learning_curve=curve)
    [figure] = [figure for figure in page.figures if figure.name.startswith("learning")]
    [line] = figure.marks
    assert isinstance(line, Line)
    assert list(zip(line.x, line.y, strict=True)) == [(10, 9.0), (40, 4.0), (160, 2.0)]
    assert figure.x_label == "training structures"
    assert "test.xyz" in figure.note

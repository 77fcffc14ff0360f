"""The calibration of standard deviations that are known, against errors that are known."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from ase import Atoms
from deviating_potentials import ENERGY_STD, FORCE_STD, STRESS_STD, Deviating, Deviations
from evaluated_structures import POTENTIAL, labelled, numbered, rattled, typed
from narrowing import present
from torch import Tensor

from adiabat.errors import PropertyUnavailable, StructureError
from adiabat.evaluation import calibration_sentences, calibration_table, compare, evaluate, evaluation_page
from adiabat.evaluation.calibration import CalibrationSummary, KindCalibration
from adiabat.results import Figure, Line, Page, Points
from adiabat.system import Graph, Labelled, Labels
from adiabat.units import GPA_PER_EV_PER_CUBIC_ANGSTROM

N_ATOMS = 8
KEYS = ("coverage_50", "coverage_68", "coverage_90", "coverage_95", "negative_log_likelihood", "rank_correlation")
LN_2PI_HALF = 0.9189385332
Z = np.array([0.0, -0.7, 1.2, 1.8, -2.5])
"""Of which 1, 2, 4 and 4 of 5 lie within the central 50, 68, 90 and 95 % of a normal distribution (0.674, 0.994, 1.645, 1.960)."""
OFFS = (Z * N_ATOMS * ENERGY_STD).tolist()
COVERED = (0.2, 0.4, 0.6, 0.8)


def by_coordinate(graph: Graph) -> Tensor:
    """(N, 3) another standard deviation for each atom."""
    return FORCE_STD * (0.2 + graph.batch.positions[:, :1].abs()).expand(-1, 3)


def drawn(count: int, *, scale: float = 1.0, seed: int = 0, deviations: Deviations | None = None) -> list[Labelled]:
    """Structures whose errors are drawn from the stated standard deviations, times a scale."""
    rng, potential = np.random.default_rng(seed), Deviating(deviations)
    structures = []
    for number in range(count):
        one = labelled(
            rattled(number),
            energy_off=float(rng.normal()) * scale * N_ATOMS * ENERGY_STD,
            stress_off=float(rng.normal()) * scale * STRESS_STD,
            place=f"memory, structure {number}",
        )
        std = present(potential(one.atoms, want=("forces_std",)).forces_std).numpy()
        forces = present(one.labels.forces) - scale * std * rng.normal(size=std.shape)
        structures.append(replace(one, labels=replace(one.labels, forces=forces)))
    return structures


def calibration_of(structures: list[Labelled], deviations: Deviations | None = None) -> CalibrationSummary:
    return present(evaluate(Deviating(deviations), structures, quiet=True).calibration)


def coverages(found: KindCalibration) -> tuple[float | None, ...]:
    return found.coverage_50, found.coverage_68, found.coverage_90, found.coverage_95


def page_of(structures: list[Labelled], deviations: Deviations | None = None) -> Page:
    return evaluation_page(evaluate(Deviating(deviations), structures, quiet=True))


def figure_named(page: Page, name: str) -> Figure:
    return next(figure for figure in page.figures if figure.name == name)


def test_energies_are_scored_per_atom() -> None:
    found = calibration_of(numbered(OFFS)).energy
    assert coverages(found) == pytest.approx(COVERED)
    assert found.negative_log_likelihood == pytest.approx(np.log(ENERGY_STD) + np.mean(Z**2) / 2 + LN_2PI_HALF)
    assert found.root_mean_square_z == pytest.approx(np.sqrt(np.mean(Z**2)))
    assert (found.count, found.independent, found.left_out) == (5, 5, 0)
    assert found.rank_correlation is None  # of standard deviations that are all alike


def test_the_energy_of_a_large_structure_counts_as_much_as_that_of_a_small_one() -> None:
    small, large = labelled(rattled(0, repeat=1), energy_off=0.9 * ENERGY_STD), labelled(rattled(1, repeat=3))
    energy = present(large.labels.energy) - 27 * 1.2 * ENERGY_STD
    found = calibration_of([small, replace(large, labels=replace(large.labels, energy=energy))]).energy
    assert found.coverage_68 == 0.5
    assert found.root_mean_square_z == pytest.approx(np.sqrt((0.9**2 + 1.2**2) / 2))


def test_forces_are_scored_by_component_and_ranked_by_atom() -> None:
    structure = labelled(rattled(0))
    std = by_coordinate(POTENTIAL._graph(structure.atoms)).numpy()
    errors = std * np.resize(Z, std.shape)
    forces = present(structure.labels.forces) - errors
    labels = replace(structure.labels, forces=forces)
    found = calibration_of([replace(structure, labels=labels)], Deviations(forces=by_coordinate)).forces
    z = np.abs(np.resize(Z, std.shape))
    assert coverages(found) == pytest.approx([np.mean(z < limit) for limit in (0.674, 0.994, 1.645, 1.960)])
    assert found.negative_log_likelihood == pytest.approx(np.mean(np.log(std) + z**2 / 2) + LN_2PI_HALF)
    ranks = np.stack([np.linalg.norm(values, axis=1).argsort().argsort() for values in (errors, std)])
    assert found.rank_correlation == pytest.approx(np.corrcoef(ranks)[0, 1])
    assert (found.count, found.independent) == (3 * N_ATOMS, 1)


def test_stresses_are_scored_by_their_six_components_in_gpa() -> None:
    structures = [labelled(rattled(number), stress_off=z * STRESS_STD) for number, z in enumerate(Z)]
    found = calibration_of(structures).stress
    assert coverages(found) == pytest.approx(COVERED)
    in_gpa = STRESS_STD * GPA_PER_EV_PER_CUBIC_ANGSTROM
    assert found.negative_log_likelihood == pytest.approx(np.log(in_gpa) + np.mean(Z**2) / 2 + LN_2PI_HALF)
    assert (found.count, found.independent) == (30, 5)


def test_what_is_zero_by_symmetry_is_left_out_and_counted() -> None:
    perfect = Atoms(
        "Ar4", scaled_positions=[[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]], cell=[5.4] * 3, pbc=True
    )
    perfect.positions[0, 2] += 0.2  # two mirror planes remain: of the atom that moved x and y of the force vanish
    found = calibration_of([labelled(perfect)])
    forces = present(POTENTIAL(perfect).forces)
    vanishing = int((forces.abs() < 1e-6).sum())
    assert vanishing >= 2
    assert (found.forces.left_out, found.forces.count) == (vanishing, 12 - vanishing)
    assert (found.stress.left_out, found.stress.count) == (3, 3)  # yz, xz, xy


def test_a_component_that_only_the_label_says_is_zero_counts() -> None:
    structure = labelled(rattled(0))
    labels = replace(structure.labels, forces=np.zeros((N_ATOMS, 3)))
    found = calibration_of([replace(structure, labels=labels)]).forces
    assert (found.left_out, found.count) == (0, 24)


def test_isolated_atoms_from_which_energies_are_counted_are_left_out() -> None:
    lone = Labelled(Atoms("Ar"), Labels(energy=0.0), config_type="IsolatedAtom", place="memory, structure 5")
    found = calibration_of([*numbered(OFFS), lone]).energy
    assert (found.count, found.left_out) == (5, 1)


def test_kinds_without_labels_have_null_and_no_zeros() -> None:
    found = evaluate(Deviating(), numbered(Z.tolist(), forces_off=None, stress_off=None), quiet=True).to_dict()[
        "calibration"
    ]
    for kind in ("forces", "stress"):
        assert [found[kind][key] for key in KEYS] == [None] * len(KEYS)
        assert found[kind]["count"] == 0


def test_a_standard_deviation_of_zero_has_no_calibration_and_is_said() -> None:
    found = calibration_of(numbered(Z.tolist()), Deviations(energy=0.0))
    assert coverages(found.energy) == (None,) * 4
    assert (found.energy.negative_log_likelihood, found.energy.zero_std) == (None, 5)
    assert "Energy calibration: none, for 5 of 5 energies have no uncertainty." in calibration_sentences(found)


def test_a_potential_without_uncertainty_is_evaluated_without_and_says_what_would_give_it() -> None:
    found = evaluate(POTENTIAL, typed(["a"] * 3), quiet=True)
    assert found.to_dict()["calibration"] is None
    assert found.by_config_type["a"].calibration is None
    [sentence] = calibration_sentences(found.calibration)
    assert "train it again" in sentence


def test_standard_deviations_asked_of_a_potential_without_are_refused() -> None:
    with pytest.raises(PropertyUnavailable, match="no uncertainty"):
        compare(POTENTIAL, typed(["a"]), uncertainty=True, quiet=True)


def test_who_wants_no_calibration_does_not_pay_for_it() -> None:
    potential = Deviating()
    assert evaluate(potential, typed(["a"] * 3), calibration=False, quiet=True).calibration is None
    assert not [name for want in potential.asked for name in want if "_std" in name]


def test_standard_deviations_are_asked_for_where_there_are_labels_and_kept_beside_them() -> None:
    potential = Deviating(Deviations(forces=by_coordinate))
    structures = [labelled(rattled(0), stress_off=None), labelled(rattled(1), energy_off=None)]
    first, second = compare(potential, structures, uncertainty=True, quiet=True).compared
    assert {name for name in potential.asked[0] if "_std" in name} == {"energy_std", "forces_std"}
    assert first.std.energy == pytest.approx(N_ATOMS * ENERGY_STD)
    assert (first.std.stress, second.std.energy) == (None, None)
    assert present(second.std.stress) == pytest.approx(np.full((3, 3), STRESS_STD))
    assert present(second.std.forces)[:, 0] == pytest.approx(
        FORCE_STD * (0.2 + np.abs(structures[1].atoms.positions[:, 0]))
    )


@pytest.mark.parametrize("wrong", [float("nan"), -0.1])
def test_a_standard_deviation_that_is_none_is_refused_with_its_place(wrong: float) -> None:
    with pytest.raises(StructureError, match="energy_std") as raised:
        evaluate(Deviating(Deviations(energy=wrong)), numbered(Z.tolist()), quiet=True)
    assert raised.value.place == "memory, structure 0"


def test_config_types_have_calibrations_of_their_own() -> None:
    good, bad = drawn(6), [replace(one, config_type="surface") for one in drawn(6, scale=4.0, seed=1)]
    found = evaluate(Deviating(), [*good, *bad], quiet=True)
    by_type = {name: present(each.calibration).forces.coverage_68 for name, each in found.by_config_type.items()}
    assert by_type["default"] == pytest.approx(0.68, abs=0.12)
    assert by_type["surface"] == pytest.approx(0.197, abs=0.12)  # the normal distribution within 0.994/4
    tables = {table.name: table for table in evaluation_page(found).tables}
    assert [row[0] for row in tables["calibration"].rows] == ["energy", "forces", "stress"]
    assert [row[0] for row in tables["calibration-forces"].rows] == ["default", "surface"]
    assert tables["calibration-forces"].rows[1][3] == pytest.approx(100 * present(by_type["surface"]))


def test_the_json_has_the_calibration_overall_and_by_config_type(tmp_path: Path) -> None:
    evaluate(Deviating(), drawn(6), quiet=True).save(tmp_path / "errors.json")
    found = json.loads((tmp_path / "errors.json").read_text())
    assert list(found["calibration"]) == ["energy", "forces", "stress"]
    for calibration in (found["calibration"], found["by_config_type"]["default"]["calibration"]):
        for kind in calibration.values():
            assert set(KEYS) <= set(kind)
            assert 0 <= kind["coverage_50"] <= kind["coverage_68"] <= kind["coverage_90"] <= kind["coverage_95"] <= 1


@pytest.mark.parametrize(
    ("scale", "said"),
    [(1.0, "as wide as they should be"), (2.0, "are too narrow"), (0.4, "are too wide")],
)
def test_the_sentence_says_whether_intervals_are_too_narrow_or_too_wide(scale: float, said: str) -> None:
    sentences = calibration_sentences(calibration_of(drawn(40, scale=scale)))
    assert len(sentences) == 3
    assert all(said in sentence for sentence in sentences[:2])  # errors of a stress are six times the same here


def test_heavy_tails_are_told_from_wrong_widths() -> None:
    z = np.concatenate([np.full(90, 0.1), np.full(30, 9.0)])
    [energy] = calibration_sentences(
        calibration_of(numbered((z * N_ATOMS * ENERGY_STD).tolist(), forces_off=None, stress_off=None))
    )
    assert "too narrow" in energy
    z = np.concatenate([np.full(130, 0.1), np.full(20, 9.0)])
    [energy] = calibration_sentences(
        calibration_of(numbered((z * N_ATOMS * ENERGY_STD).tolist(), forces_off=None, stress_off=None))
    )
    assert "too wide for most errors and too narrow for the largest" in energy


def test_few_structures_are_not_judged() -> None:
    sentences = calibration_sentences(calibration_of(drawn(4, scale=5.0)))
    assert all("too few independent errors to judge by" in sentence for sentence in sentences)


def test_errors_that_go_together_give_a_wider_range() -> None:
    structures = [labelled(rattled(number), forces_off=z * FORCE_STD) for number, z in enumerate(np.tile(Z, 4))]
    low, high = present(calibration_of(structures).forces.calibrated_range_68)
    assert high - low > 0.4  # as of 20 errors, and not of 480
    grouped = [replace(one, group=f"trajectory {number % 5}") for number, one in enumerate(structures)]
    assert present(calibration_of(grouped).forces).independent == 5


def test_the_table_shows_shares_in_percent() -> None:
    table = calibration_table(calibration_of(numbered(OFFS, forces_off=None, stress_off=None)))
    [row] = table.rows
    assert row[:2] == ("energy", 5)
    assert row[2:6] == pytest.approx((20, 40, 60, 80))


def test_the_page_has_a_reliability_curve_in_its_band_where_deviations_are_right() -> None:
    page = page_of(drawn(40))
    for kind in ("energy", "force"):
        band, curve = figure_named(page, f"{kind}-reliability").marks
        assert isinstance(band, Line)
        assert isinstance(curve, Line)
        outside = np.abs(curve.y - band.y) > present(band.band) + 1e-12
        assert outside.mean() < 0.1
    [sure] = [mark for mark in figure_named(page_of(drawn(40, scale=2.0)), "force-reliability").marks[1:]]
    assert isinstance(sure, Line)
    assert (sure.y < sure.x).mean() > 0.9


def test_errors_stand_against_their_deviations_with_the_root_mean_square_of_bins() -> None:
    deviations = Deviations(forces=by_coordinate)
    figure = figure_named(page_of(drawn(60, deviations=deviations), deviations), "force-deviation")
    _, points, line = figure.marks
    assert isinstance(points, Points)
    assert isinstance(line, Line)
    assert len(points.x) == 60 * N_ATOMS
    assert present(points.texts)[9] == "memory, structure 1, atom 1 (Ar), default"
    assert line.y == pytest.approx(line.x, rel=0.35)
    assert line.x.max() > 5 * line.x.min()
    assert np.mean(points.y**2) == pytest.approx(np.mean(line.y**2), rel=1e-6)


def test_a_page_without_deviations_has_no_plots_of_them() -> None:
    names = [figure.name for figure in evaluation_page(evaluate(POTENTIAL, typed(["a"] * 6), quiet=True)).figures]
    assert not [name for name in names if "reliability" in name or "deviation" in name]


def test_the_least_known_atoms_are_coloured_by_their_deviation() -> None:
    page = page_of(typed(["a"] * 9), Deviations(forces=by_coordinate))
    views = [view for view in page.structures if view.name.startswith("least-known")]
    largest = [float(present(view.values).max()) for view in views]
    assert largest == sorted(largest, reverse=True)
    [first, *_] = views
    expected = np.sqrt(3) * FORCE_STD * (0.2 + np.abs(first.atoms.positions[:, 0]))
    assert present(first.values) == pytest.approx(expected)
    assert first.value_label == "standard deviation of the force (eV/Å)"


def test_without_deviations_the_least_known_are_the_farthest_from_the_training_data() -> None:
    def height(graph: Graph) -> Tensor:
        return graph.batch.positions[:, 2].abs()

    page = evaluation_page(evaluate(POTENTIAL, typed(["a"] * 3), distance=height, quiet=True))
    first = next(view for view in page.structures if view.name == "least-known-1")
    assert present(first.values) == pytest.approx(np.abs(first.atoms.positions[:, 2]))
    assert "distance" in first.value_label


def test_single_precision_deviations_are_scored_too() -> None:
    def narrow(graph: Graph) -> Tensor:
        return by_coordinate(graph).to(torch.float32)

    found = calibration_of(drawn(5), Deviations(forces=narrow)).forces
    assert present(found.coverage_95) > 0.5

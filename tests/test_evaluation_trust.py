"""Which structures a potential is trusted on, with standard deviations that are known."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from analytic_models import PairModel, argon_and_krypton
from ase import Atoms
from deviating_potentials import ENERGY_STD, FORCE_STD, Deviating, Deviations
from evaluated_structures import POTENTIAL, numbered, rattled
from narrowing import present
from torch import Tensor

from adiabat.errors import PropertyUnavailable, UnknownSpecies
from adiabat.evaluation import Unlabelled, evaluate, evaluation_page, trust, trust_page, trust_sentences, trust_tables
from adiabat.models import IsolatedAtoms
from adiabat.system import Graph, Labelled
from adiabat.uncertainty import FeatureStatistics
from adiabat.uncertainty.extrapolation import Extrapolation
from adiabat.uncertainty.mahalanobis import MahalanobisDetector
from adiabat.uncertainty.thresholds import Thresholds

TYPICAL = {"energy": ENERGY_STD, "forces": FORCE_STD}


def knowing(deviations: Deviations | None = None, typical: dict[str, float] | None = None) -> Deviating:
    """A potential that says how large its errors typically are."""
    return Deviating(deviations, typical=typical or TYPICAL)


def at_height(factor: float) -> Any:
    """Deviations that are `factor` times the typical ones of atoms above 4 Å, and typical of the others."""

    def forces(graph: Graph) -> Tensor:
        high = graph.batch.positions[:, 2:] > 4.0
        return FORCE_STD * (1.0 + (factor - 1.0) * high.to(graph.batch.positions)).expand(-1, 3)

    return forces


def unlabelled(atoms: Atoms, number: int = 0) -> Labelled:
    return Labelled(atoms, place=f"memory, structure {number}")


def dimer(height: float) -> Atoms:
    return Atoms("Ar2", [[0, 0, 0], [0, 0, height]])


def test_a_structure_like_those_of_the_training_is_trusted() -> None:
    [one] = trust(knowing(), [unlabelled(rattled(0))], quiet=True).structures
    assert one.trusted
    assert one.reason == "nothing is more uncertain than 1 times what is typical"
    expected = float(present(POTENTIAL(rattled(0), want=("energy",)).energy)[0]) / 8
    assert one.energy_ev_per_atom == pytest.approx(expected)
    assert one.energy_std_ev_per_atom == pytest.approx(ENERGY_STD)
    assert one.largest_force_std_ev_per_angstrom == pytest.approx(np.sqrt(3) * FORCE_STD)


@pytest.mark.parametrize(("factor", "trusted"), [(4.9, True), (5.1, False)])
def test_one_atom_that_is_little_known_is_enough(factor: float, trusted: bool) -> None:
    found = trust(
        knowing(Deviations(forces=at_height(factor))), [unlabelled(dimer(4.1)), unlabelled(dimer(3.9))], quiet=True
    )
    one, other = found.structures
    assert (one.trusted, other.trusted) == (trusted, True)
    assert (one.least_known_atom, found.trusted, found.not_trusted) == (1, 1 + trusted, 1 - trusted)
    if not trusted:
        expected = f"the force on atom 1 (Ar) is uncertain by {5.1 * np.sqrt(3) * FORCE_STD:.3g} eV/Å, 5.1 times what is typical"
        assert one.reason == expected


@pytest.mark.parametrize(("factor", "trusted"), [(4.9, True), (5.1, False)])
def test_an_energy_that_is_little_known_is_enough_where_forces_vanish(factor: float, trusted: bool) -> None:
    potential = knowing(Deviations(energy=factor * ENERGY_STD))
    [one] = trust(potential, [unlabelled(rattled(0, repeat=1))], quiet=True).structures
    assert one.trusted == trusted
    assert ("the energy is uncertain by 51 meV/atom, 5.1 times" in one.reason) == (not trusted)


def test_what_the_training_had_no_labels_of_is_not_judged_by() -> None:
    potential = knowing(Deviations(energy=100.0), {"forces": FORCE_STD})
    found = trust(potential, [unlabelled(rattled(0))], quiet=True)
    assert found.trusted == 1
    assert "energy" not in found.criterion


def test_a_structure_without_an_answer_is_not_trusted_and_the_others_are_judged() -> None:
    shift = IsolatedAtoms({18: -1.0, 36: -2.0}, "fitted", 7.0)
    potential = Deviating(more_parts=[shift], typical=TYPICAL)
    first, second = trust(potential, [unlabelled(Atoms("Ar")), unlabelled(rattled(0), 1)], quiet=True).structures
    assert (first.trusted, second.trusted) == (False, True)
    assert (first.energy_ev_per_atom, first.energy_std_ev_per_atom, first.largest_force_std_ev_per_angstrom) == (
        None,
    ) * 3
    assert "no neighbour" in first.reason


def test_a_potential_without_uncertainties_is_refused_with_what_would_give_them() -> None:
    with pytest.raises(PropertyUnavailable) as raised:
        trust(POTENTIAL, [unlabelled(rattled(0))], quiet=True)
    assert "train it again" in present(raised.value.mend)


def test_a_potential_that_does_not_know_its_typical_errors_is_refused() -> None:
    with pytest.raises(PropertyUnavailable, match="typical"):
        trust(Deviating(), [unlabelled(rattled(0))], quiet=True)


def test_an_unknown_element_is_refused_with_its_place() -> None:
    with pytest.raises(UnknownSpecies) as raised:
        trust(knowing(), [unlabelled(rattled(0)), unlabelled(Atoms("Xe"), 1)], quiet=True)
    assert raised.value.place == "memory, structure 1"


def test_the_json_has_the_verdicts_and_no_arrays(tmp_path: Path) -> None:
    judged = trust(knowing(Deviations(energy=1.0)), [unlabelled(rattled(0))], quiet=True)
    Unlabelled(judged).save(tmp_path / "uncertainty.json")
    found = json.loads((tmp_path / "uncertainty.json").read_text())
    assert found["schema_version"] == 1
    assert (found["uncertainty"]["trusted"], found["uncertainty"]["not_trusted"]) == (0, 1)
    [one] = found["uncertainty"]["structures"]
    assert one["place"] == "memory, structure 0"
    assert one["trusted"] is False
    assert "uncertain by" in one["reason"]
    assert not {"structure", "force_std"} & set(one)


def test_of_many_structures_the_table_shows_the_least_known() -> None:
    heights = [3.9, 4.1, 3.9, 3.9]
    structures = [unlabelled(dimer(height), number) for number, height in enumerate(heights)]
    judged = trust(knowing(Deviations(forces=at_height(9.0))), structures, quiet=True)
    assert [row[0] for row in trust_tables(judged)[0].rows] == [one.place for one in structures]
    short, reasons = trust_tables(judged, most_rows=2)
    assert [row[0] for row in short.rows] == ["memory, structure 1", "memory, structure 0"]
    assert short.title == "Uncertainty: 2 of 4"
    assert [row[-1] for row in short.rows] == ["NO", "yes"]
    assert reasons.rows == (("memory, structure 1", judged.structures[1].reason),)


def test_the_sentences_count_who_is_not_trusted_and_say_the_rule() -> None:
    good, bad = (knowing(Deviations(energy=factor * ENERGY_STD)) for factor in (1.0, 9.0))
    structures = [unlabelled(rattled(number), number) for number in range(3)]
    assert trust_sentences(trust(good, structures, quiet=True))[0] == "Trusted: all 3."
    verdict, rule = trust_sentences(trust(bad, structures, quiet=True))
    assert verdict == "Not to be trusted: 3 of 3."
    assert "10 meV/atom of the energy, 0.0866 eV/Å of the force on an atom" in rule


def test_the_page_shows_the_least_known_atoms() -> None:
    judged = trust(
        knowing(Deviations(forces=at_height(9.0))), [unlabelled(dimer(3.9)), unlabelled(dimer(4.1), 1)], quiet=True
    )
    page = trust_page(judged, title="si.adiabat on frames.xyz", details={})
    assert [view.title.split(" (")[0] for view in page.structures] == ["memory, structure 1", "memory, structure 0"]
    assert present(page.structures[0].values) == pytest.approx(np.sqrt(3) * FORCE_STD * np.array([1.0, 9.0]))


def test_labelled_structures_can_be_judged_beside_their_errors() -> None:
    potential, structures = knowing(Deviations(energy=1.0)), numbered([0.1, 0.2])
    evaluation = evaluate(potential, structures, quiet=True)
    assert evaluation.to_dict()["uncertainty"] is None
    judged = replace(evaluation, uncertainty=trust(potential, structures, quiet=True))
    assert judged.to_dict()["uncertainty"]["not_trusted"] == 2
    page = evaluation_page(judged)
    assert "Not to be trusted: 2 of 2." in page.summary
    assert [table.name for table in page.tables].count("uncertainty") == 1


class Placed(PairModel):
    """Whose feature of an atom is its height."""

    def features(self, graph: Graph) -> Tensor:
        return graph.batch.positions[:, 2:]


def detecting(threshold: float) -> Deviating:
    """The training was about 2 Å high, with a standard deviation of 0.5 Å."""
    one = torch.ones(2, 1, dtype=torch.float64)
    statistics = FeatureStatistics((18, 36), count=one[:, 0], mean=2 * one, covariance=0.25 * one[:, :, None])
    detector = Extrapolation((18, 36), MahalanobisDetector.of(statistics), Thresholds(0.05, (1,), (threshold,)))
    pair = argon_and_krypton()
    placed = Placed(pair.epsilon_ev, pair.sigma, pair.cutoff)
    return Deviating(more_parts=[placed], attachments={"extrapolation": detector}, typical=TYPICAL)


@pytest.mark.parametrize(("threshold", "trusted"), [(4.5, True), (3.5, False)])
def test_an_atom_far_from_the_training_is_enough_however_sure_the_potential_is(threshold: float, trusted: bool) -> None:
    judged = trust(detecting(threshold), [unlabelled(dimer(4.0))], quiet=True)
    [one] = judged.structures
    assert one.trusted == trusted
    assert one.extrapolation_grade == pytest.approx(4.0, rel=1e-4)  # atom 0 at 0 Å, atom 1 at 4 Å: both 2 Å off
    assert one.extrapolation_threshold == pytest.approx(threshold)
    assert ("times as far from the training" in one.reason) == (not trusted)
    assert "farther from the training" in judged.criterion


def test_a_potential_that_cannot_tell_what_is_far_says_nothing_of_it() -> None:
    judged = trust(knowing(), [unlabelled(dimer(4.0))], quiet=True)
    assert judged.structures[0].extrapolation_grade is None
    assert "farther" not in judged.criterion

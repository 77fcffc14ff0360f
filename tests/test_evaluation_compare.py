"""What is evaluated, in which order, what is left out, and what is refused."""

from typing import Any

import numpy as np
import pytest
import torch
from analytic_models import argon_and_krypton, rare_gas_potential
from ase import Atoms
from evaluated_structures import POTENTIAL, labelled, numbered, rattled, typed
from torch import Tensor

from adiabat.errors import DataError, StructureError, UnknownSpecies
from adiabat.evaluation import compare, evaluate, training_distance
from adiabat.models import IsolatedAtoms
from adiabat.potential import Potential, Prediction
from adiabat.system import Graph, Labelled, Labels
from adiabat.uncertainty import FeatureStatistics

FITTED = Potential([argon_and_krypton(), IsolatedAtoms({18: -1.0, 36: -2.0}, "fitted", 7.0)])
LONE = Labelled(
    Atoms("Ar"), Labels(energy=0.25, forces=np.zeros((1, 3))), config_type="IsolatedAtom", place="memory, structure 9"
)


class Recording(Potential):
    """A potential that remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__([argon_and_krypton()])
        self.asked: list[tuple[int, set[str]]] = []

    def __call__(self, structures: Any, **kwargs: Any) -> Prediction:
        self.asked.append((structures.batch.n_atoms, set(kwargs["want"])))
        return super().__call__(structures, **kwargs)


def test_results_stand_in_the_order_of_the_structures_however_they_are_batched() -> None:
    structures = [
        labelled(rattled(number), stress_off=None if number % 3 else 0.0, place=f"memory, structure {number}")
        for number in range(9)
    ]
    found = compare(POTENTIAL, structures, quiet=True).compared
    assert [one.structure.place for one in found] == [structure.place for structure in structures]
    for one in found:
        assert one.energy_error_ev == pytest.approx(0.0, abs=1e-12)
        assert one.force_errors == pytest.approx(np.zeros((8, 3)), abs=1e-12)


def test_only_labelled_quantities_are_asked_for() -> None:
    potential = Recording()
    structures = [labelled(rattled(0), stress_off=None), labelled(rattled(1), forces_off=None, stress_off=None)]
    compare(potential, structures, quiet=True)
    assert [want for _, want in potential.asked] == [{"energy", "forces"}, {"energy"}]


def test_batches_are_bounded_by_atoms_and_a_larger_structure_stands_alone() -> None:
    potential = Recording()
    large = labelled(rattled(0, repeat=9))  # 729 atoms
    compare(potential, [*numbered([0.0] * 70), large, *numbered([0.0] * 2)], quiet=True)
    sizes = [n_atoms for n_atoms, _ in potential.asked]
    assert sizes == [512, 48, 729, 16]


def test_an_isolated_atom_is_compared_like_any_other() -> None:
    found = evaluate(POTENTIAL, [*numbered([0.0]), LONE], quiet=True)
    assert found.by_config_type["IsolatedAtom"].energy_mae_mev == pytest.approx(250.0)
    assert found.left_out == ()


def test_an_isolated_atom_of_a_fitted_reference_is_left_out_and_said() -> None:
    found = evaluate(FITTED, [*numbered([0.0, 0.0]), LONE], quiet=True)
    assert found.configurations == 2
    assert "IsolatedAtom" not in found.by_config_type
    [left_out] = found.left_out
    assert left_out.place == "memory, structure 9"
    assert "no neighbour" in left_out.reason


def test_a_structure_without_labels_is_left_out_and_said() -> None:
    found = evaluate(POTENTIAL, [*numbered([0.0]), Labelled(rattled(3), place="memory, structure 5")], quiet=True)
    assert [(one.place, one.reason) for one in found.left_out] == [("memory, structure 5", "it has no label")]


def test_nothing_to_compare_is_refused() -> None:
    with pytest.raises(DataError, match="no neighbour") as caught:
        evaluate(FITTED, [LONE], quiet=True)
    assert caught.value.place == "memory, structure 9"
    with pytest.raises(DataError, match="no structure can be compared"):
        evaluate(POTENTIAL, [], quiet=True)


def test_an_unknown_element_is_refused_with_its_place_before_anything_is_evaluated() -> None:
    potential = Recording()
    stranger = Labelled(Atoms("ArXe", [[0, 0, 0], [0, 0, 4]]), Labels(energy=0.0), place="test.xyz, structure 4")
    with pytest.raises(UnknownSpecies, match="Xe") as caught:
        evaluate(potential, [*numbered([0.0]), stranger], quiet=True)
    assert caught.value.place == "test.xyz, structure 4"
    assert potential.asked == []


def test_a_structure_that_cannot_be_evaluated_is_named_by_its_place_not_by_its_number_in_a_batch() -> None:
    coincident = Labelled(Atoms("Ar2", [[0, 0, 0], [0, 0, 0]]), Labels(energy=0.0), place="test.xyz, structure 17")
    with pytest.raises(StructureError) as caught:
        evaluate(POTENTIAL, [*numbered([0.0], forces_off=None, stress_off=None), coincident], quiet=True)
    assert caught.value.place == "test.xyz, structure 17"


@pytest.mark.parametrize(
    "labels",
    [
        Labels(forces=np.zeros((1, 3))),
        Labels(forces=np.full((8, 3), np.nan)),
        Labels(energy=np.inf),
        Labels(stress=np.zeros(6)),
    ],
    ids=["forces of one atom", "forces not a number", "infinite energy", "stress of six"],
)
def test_a_label_of_the_wrong_shape_or_not_finite_is_refused(labels: Labels) -> None:
    with pytest.raises(DataError) as caught:
        evaluate(POTENTIAL, [Labelled(rattled(0), labels, place="memory, structure 3")], quiet=True)
    assert caught.value.place == "memory, structure 3"


def test_a_stress_label_without_a_volume_is_refused() -> None:
    structure = Labelled(
        Atoms("Ar2", [[0, 0, 0], [0, 0, 4]]), Labels(stress=np.zeros((3, 3))), place="memory, structure 1"
    )
    with pytest.raises(DataError, match="periodic"):
        evaluate(POTENTIAL, [structure], quiet=True)


def test_a_prediction_that_is_not_finite_is_refused_rather_than_counted() -> None:
    class Broken(Potential):
        def __call__(self, structures: Any, **kwargs: Any) -> Prediction:
            return Prediction(energy=torch.full((1,), torch.nan, dtype=torch.float64))

    structure = labelled(rattled(0), forces_off=None, stress_off=None, place="memory, structure 2")
    with pytest.raises(StructureError, match="not finite") as caught:
        evaluate(Broken([argon_and_krypton()]), [structure], quiet=True)
    assert caught.value.place == "memory, structure 2"


def test_distances_belong_to_the_atoms_of_their_structure() -> None:
    def height(graph: Graph) -> Tensor:
        return graph.batch.positions[:, 2]

    structures = typed(["a", "b", "c"])
    for one in compare(POTENTIAL, structures, distance=height, quiet=True).compared:
        assert one.distance == pytest.approx(one.structure.atoms.positions[:, 2])


def test_a_potential_without_statistics_of_its_training_has_no_distance() -> None:
    assert training_distance(rare_gas_potential()) is None


def test_the_distance_from_the_training_data_is_in_standard_deviations_of_the_features() -> None:
    class Featured(type(argon_and_krypton())):
        def features(self, graph: Graph) -> Tensor:
            return graph.batch.positions[:, :1]

    model = argon_and_krypton()
    featured = Featured(model.epsilon_ev, model.sigma, model.cutoff)
    one = torch.ones(2, 1, dtype=torch.float64)
    statistics = FeatureStatistics((18, 36), count=one[:, 0], mean=2.0 * one, covariance=0.25 * one[:, :, None])
    distance = training_distance(Potential([featured], attachments={"feature_statistics": statistics}))
    [found] = compare(POTENTIAL, numbered([0.0]), distance=distance, quiet=True).compared
    expected = np.abs(found.structure.atoms.positions[:, 0] - 2.0) / 0.5
    assert found.distance == pytest.approx(expected, rel=1e-6)

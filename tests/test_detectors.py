"""Detectors of extrapolation against dense algebra and against leaving out; thresholds, verdicts and their storage."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from ase import Atoms
from made_environments import FUNCTIONS, made_structures
from training_structures import cells, truth

from adiabat.errors import DataError, UnknownSpecies
from adiabat.models import LinearACE
from adiabat.neighbors import neighbor_graph
from adiabat.system import Batch, restore
from adiabat.uncertainty import (
    ActiveSet,
    Covariance,
    Detector,
    Environments,
    Extrapolation,
    FeatureStatistics,
    LeverageDetector,
    MahalanobisDetector,
    MaxVolDetector,
    NearestDetector,
    Thresholds,
    cross_fitted,
    distinct,
)
from adiabat.uncertainty.whitening import RIDGE

FITTED: dict[str, Callable[[list[Environments]], Detector]] = {
    "mahalanobis": lambda structures: MahalanobisDetector.fit(structures, 2),
    "nearest": lambda structures: NearestDetector.fit(structures, 2),
    "leverage": lambda structures: LeverageDetector(made_covariance(structures), 2),
    "maxvol": lambda structures: MaxVolDetector.fit(structures, 2),
}


def made_covariance(structures: list[Environments], *, prior: float = 1e-6) -> Covariance:
    """Of coefficients whose rows are the atoms themselves, with unit noise."""
    rows = wide(Environments.together(structures))
    precision = rows.T @ rows + prior * torch.eye(2 * FUNCTIONS, dtype=torch.float64)
    scale = 1 / precision.diagonal().sqrt()
    return Covariance(torch.linalg.cholesky(precision * scale * scale[:, None]), scale)


def wide(atoms: Environments) -> torch.Tensor:
    rows = torch.zeros(len(atoms), 2, atoms.features.shape[1], dtype=torch.float64)
    rows[torch.arange(len(atoms)), atoms.species] = atoms.features
    return rows.flatten(1)


def grades(detector: Detector, atoms: Environments) -> torch.Tensor:
    return detector.grades(atoms.features, atoms.species)


@pytest.mark.parametrize("fit", FITTED.values(), ids=FITTED)
def test_what_is_far_from_the_training_has_a_large_grade(fit: Callable[[list[Environments]], Detector]) -> None:
    training, others = made_structures(40), made_structures(10, seed=1)
    detector = fit(training)
    largest = max(float(grades(detector, structure).max()) for structure in others)
    statistics = FeatureStatistics.of_structures(training, (0, 1))
    for structure in others:
        away = structure.features - statistics.mean[structure.species]
        far = Environments(structure.features + 30 * away, structure.species)
        assert float(grades(detector, far).min()) > float(grades(detector, structure).min())
        assert float(grades(detector, far).max()) > 3 * largest


@pytest.mark.parametrize("fit", FITTED.values(), ids=FITTED)
def test_an_atom_is_graded_by_itself_and_its_species_alone(fit: Callable[[list[Environments]], Detector]) -> None:
    detector, atoms = fit(made_structures(20)), made_structures(1, seed=5)[0]
    together = grades(detector, atoms)
    order = torch.randperm(len(atoms), generator=torch.Generator().manual_seed(0))
    shuffled = Environments(atoms.features[order], atoms.species[order])
    torch.testing.assert_close(grades(detector, shuffled), together[order], rtol=1e-9, atol=0.0)
    other = Environments(atoms.features, 1 - atoms.species)
    assert bool((grades(detector, other) != together).all())


@pytest.mark.parametrize("name", ["mahalanobis", "nearest", "maxvol"])
def test_a_species_that_the_training_lacks_is_infinitely_far(name: str) -> None:
    one = [
        Environments(structure.features[structure.species == 0], structure.species[structure.species == 0])
        for structure in made_structures(5)
    ]
    atoms = made_structures(1, seed=5)[0]
    found = grades(FITTED[name](one), atoms)
    assert bool((torch.isinf(found) == (atoms.species == 1)).all())


def test_a_place_beyond_the_species_is_refused() -> None:
    detector, atoms = FITTED["mahalanobis"](made_structures(5)), made_structures(1)[0]
    with pytest.raises(ValueError, match="species at places"):
        detector.grades(atoms.features, atoms.species + 1)


def test_the_mahalanobis_distance_is_that_of_dense_algebra() -> None:
    training, atoms = made_structures(30), made_structures(2, seed=3)
    joined, tested = Environments.together(training), Environments.together(atoms)
    found = grades(MahalanobisDetector.fit(training, 2), tested).numpy()
    for place in range(2):
        features = joined.features[joined.species == place].numpy()
        covariance = np.cov(features.T, bias=True)
        covariance += RIDGE * np.diag(np.diag(covariance))
        away = tested.features[tested.species == place].numpy() - features.mean(0)
        squared = np.einsum("ni,ij,nj->n", away, np.linalg.inv(covariance), away) / FUNCTIONS
        np.testing.assert_allclose(found[tested.species == place], np.sqrt(squared), rtol=2e-4)  # stored in float32


@pytest.mark.parametrize("size", [1, 3, 9])
def test_left_out_mahalanobis_distances_are_those_of_statistics_without_the_group(size: int) -> None:
    training = made_structures(30)
    detector = MahalanobisDetector.fit(training, 2)
    for first in (0, 12):
        group = training[first : first + size]
        rest = [structure for k, structure in enumerate(training) if not first <= k < first + size]
        joined, others = Environments.together(group), Environments.together(rest)
        found = detector.left_out(group)
        for place in range(2):
            whole = Environments.together(training)
            variance = whole.features[whole.species == place].var(0, correction=0).numpy()
            features = others.features[others.species == place].numpy()
            total = int((whole.species == place).sum())
            covariance = np.cov(features.T, bias=True) + RIDGE * np.diag(variance) * total / len(features)
            away = joined.features[joined.species == place].numpy() - features.mean(0)
            squared = np.einsum("ni,ij,nj->n", away, np.linalg.inv(covariance), away) / FUNCTIONS
            expected = np.sqrt(squared)
            np.testing.assert_allclose(found[joined.species == place].numpy(), expected, rtol=2e-4)


def test_left_out_structures_are_farther_than_those_that_were_trained_on() -> None:
    training = made_structures(30)
    detector = MahalanobisDetector.fit(training, 2)
    for structure in training:
        left_out, trained_on = detector.left_out([structure]), grades(detector, structure)
        assert float(left_out.square().mean()) > float(trained_on.square().mean())


def test_a_structure_that_holds_all_of_a_species_is_left_out_infinitely_far() -> None:
    training = made_structures(6)
    alone = Environments(training[0].features, torch.ones(len(training[0]), dtype=torch.int64))
    others = [Environments(s.features[s.species == 0], s.species[s.species == 0]) for s in training[1:]]
    detector = MahalanobisDetector.fit([alone, *others], 2)
    assert bool(torch.isinf(detector.left_out([alone])).all())
    assert bool(torch.isfinite(detector.left_out(others[:1])).all())


def test_the_nearest_environment_is_found_as_by_looking_at_all() -> None:
    training, atoms = made_structures(30), made_structures(3, seed=4)
    detector, joined, tested = (
        NearestDetector.fit(training, 2),
        Environments.together(training),
        Environments.together(atoms),
    )
    found = grades(detector, tested).numpy()
    for place in range(2):
        features = joined.features[joined.species == place].numpy()
        covariance = np.cov(features.T, bias=True)
        covariance += RIDGE * np.diag(np.diag(covariance))
        half = np.linalg.inv(np.linalg.cholesky(covariance))
        away = (tested.features[tested.species == place].numpy()[:, None] - features) @ half.T
        np.testing.assert_allclose(found[tested.species == place], np.linalg.norm(away, axis=2).min(1) / FUNCTIONS**0.5)


def test_training_environments_are_near_themselves() -> None:
    training = made_structures(10)
    assert float(grades(NearestDetector.fit(training, 2), training[3]).max()) < 1e-6


def test_many_directions_bound_the_distance_to_the_nearest_from_below() -> None:
    functions = 80
    training = made_structures(60, atoms=12, functions=functions)
    atoms = made_structures(1, seed=4, functions=functions)[0]
    found = grades(NearestDetector.fit(training, 2), atoms)
    joined = Environments.together(training)
    for place in range(2):
        features = joined.features[joined.species == place].numpy()
        covariance = np.cov(features.T, bias=True)
        covariance += RIDGE * np.diag(np.diag(covariance))
        half = np.linalg.inv(np.linalg.cholesky(covariance))
        away = (atoms.features[atoms.species == place].numpy()[:, None] - features) @ half.T
        exact = np.linalg.norm(away, axis=2).min(1) / functions**0.5
        ratio = found[atoms.species == place].numpy() / exact
        assert ratio.max() < 1 + 1e-9
        assert ratio.min() > 0.5


def test_the_leverage_is_that_of_the_dense_covariance() -> None:
    training, atoms = made_structures(20), made_structures(1, seed=2)[0]
    covariance = made_covariance(training)
    rows = wide(atoms).numpy()
    expected = np.sqrt(np.einsum("ni,ij,nj->n", rows, covariance.dense().numpy(), rows))
    found = grades(LeverageDetector(covariance, 2), atoms).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_left_out_leverages_are_those_of_a_fit_without_the_structure() -> None:
    training = made_structures(20)
    detector = LeverageDetector(made_covariance(training), 2)
    left = training[7]
    without = LeverageDetector(made_covariance([*training[:7], *training[8:]]), 2)
    found = detector.left_out(left.features, left.species, wide(left))
    torch.testing.assert_close(found, grades(without, left), rtol=1e-6, atol=0.0)


def test_no_exchange_enlarges_the_volume_of_the_active_set() -> None:
    features = Environments.together(made_structures(20)).features
    active = ActiveSet.of(features)
    scaled = (features / active.scale).numpy()
    assert len(active.chosen) == FUNCTIONS
    chosen = scaled[list(active.chosen)]
    volume = abs(np.linalg.det(chosen))
    for k in range(FUNCTIONS):
        for row in scaled:
            exchanged = chosen.copy()
            exchanged[k] = row
            assert abs(np.linalg.det(exchanged)) <= 1.05 * volume * (1 + 1e-9)
    assert float(active.grades(features).max()) <= 1.05 * (1 + 1e-9)


def test_the_extrapolation_grade_is_the_growth_of_the_volume() -> None:
    features, atoms = Environments.together(made_structures(20)).features, made_structures(1, seed=7)[0].features
    active = ActiveSet.of(features)
    chosen = (features / active.scale).numpy()[list(active.chosen)]
    volume = abs(np.linalg.det(chosen))
    for atom, found in zip((atoms / active.scale).numpy(), active.grades(atoms).tolist(), strict=True):
        growth = []
        for k in range(FUNCTIONS):
            exchanged = chosen.copy()
            exchanged[k] = atom
            growth.append(abs(np.linalg.det(exchanged)) / volume)
        assert found == pytest.approx(max(growth), rel=1e-8)


def test_an_active_set_of_fewer_environments_than_functions_is_made_up_by_the_prior() -> None:
    features = made_structures(1, atoms=3)[0].features
    active = ActiveSet.of(features)
    assert active.chosen == (0, 1, 2)
    assert float(active.grades(features).max()) <= 1.05 * (1 + 1e-9)
    within = 0.5 * features[:1] - 0.25 * features[1:2]
    assert float(active.grades(within)) == pytest.approx(0.5, abs=1e-6)
    scaled = features / active.scale
    outside = torch.linalg.svd(scaled)[2][-1] * active.scale
    assert float(active.grades(outside[None])) > 0.1 / RIDGE**0.5


def test_identical_environments_count_once_in_an_active_set() -> None:
    features = made_structures(1, atoms=1)[0].features.repeat(10, 1)
    active = ActiveSet.of(features)
    assert len(active.chosen) == 1
    assert float(active.grades(features).max()) == pytest.approx(1.0)


def test_a_function_that_never_varies_hides_nothing_and_its_change_is_seen() -> None:
    structures = [
        Environments(torch.nn.functional.pad(structure.features, (0, 1)), structure.species)
        for structure in made_structures(20)
    ]
    changed = Environments(structures[0].features.clone(), structures[0].species)
    changed.features[:, -1] = 0.1
    for name in ("mahalanobis", "nearest", "maxvol"):
        detector = FITTED[name](structures)
        assert float(grades(detector, structures[0]).max()) < 10
        assert float(grades(detector, changed).min()) > 10


def test_cross_fitting_leaves_whole_groups_out() -> None:
    groups = [[structure] for structure in made_structures(9)]
    groups[0] = [*groups[0], *made_structures(1, seed=8)]
    seen: list[int] = []

    def fit(structures: list[Environments]) -> Detector:
        seen.append(len(structures))
        return MahalanobisDetector.fit(structures, 2)

    found = cross_fitted(groups, fit, folds=4)  # pyright: ignore[reportArgumentType] (a list is a sequence)
    assert [len(part) for part in found] == [sum(map(len, group)) for group in groups]
    assert seen == [6, 8, 8, 8]
    rest = [structure for k, group in enumerate(groups) if k % 4 != 1 for structure in group]
    torch.testing.assert_close(found[5], grades(MahalanobisDetector.fit(rest, 2), groups[5][0]))


def test_nothing_can_be_left_out_of_a_single_group() -> None:
    with pytest.raises(ValueError, match=r"1 group\(s\)"):
        cross_fitted([made_structures(3)], lambda s: MahalanobisDetector.fit(s, 2))


def test_the_chance_of_the_largest_of_some_environments_is_that_of_drawing_them() -> None:
    rng = np.random.default_rng(0)
    structures = [torch.from_numpy(rng.gamma(2.0, size=24)) for _ in range(300)]
    thresholds = Thresholds.fit(structures, false_alarms=0.1)
    drawn = [max(rng.choice(grades.numpy(), 8, replace=False)) for grades in structures for _ in range(60)]
    assert np.mean(np.array(drawn) > thresholds.at(8)) == pytest.approx(0.1, abs=0.01)


@pytest.mark.parametrize("atoms", [4, 16, 64])
def test_a_structure_of_the_training_s_kinds_is_flagged_as_rarely_as_promised(atoms: int) -> None:
    """Of one temperature all, structures of other sizes than those that the thresholds are from: 16 environments."""
    rng = np.random.default_rng(1)

    def drawn(size: int) -> torch.Tensor:
        return torch.from_numpy(rng.lognormal(sigma=0.4, size=size))

    thresholds = Thresholds.fit([drawn(16) for _ in range(600)])
    flagged = np.mean([float(drawn(atoms).max()) > thresholds.at(atoms) for _ in range(4000)])
    assert 0.02 < flagged < 0.08


def test_the_threshold_never_falls_with_the_number_of_environments() -> None:
    rng = np.random.default_rng(2)
    structures = [torch.from_numpy(rng.gamma(2.0, size=size)) for size in rng.integers(1, 60, 200)]
    thresholds = Thresholds.fit(structures)
    values = [thresholds.at(count) for count in range(1, 500)]
    assert bool((np.diff(values) >= 0).all())


def test_more_structures_than_promised_alarms_are_needed() -> None:
    structures = [torch.rand(4, dtype=torch.float64) for _ in range(18)]
    with pytest.raises(DataError, match="18 structures were left out") as raised:
        Thresholds.fit(structures)
    assert raised.value.rule is not None
    assert "19 structures" in raised.value.rule
    assert Thresholds.fit([*structures, structures[0]]).false_alarms == 0.05


def test_thresholds_of_no_grades_are_refused() -> None:
    with pytest.raises(DataError, match="0 structures"):
        Thresholds.fit([torch.full((3,), torch.inf)] * 30)


def test_environments_that_differ_by_rounding_count_as_one() -> None:
    grades_of_cell = torch.tensor([1.0, 2.0, 2.0 * (1 + 1e-9), 0.0, 0.0, 3.0])
    assert len(distinct(grades_of_cell)) == 4
    assert len(distinct(grades_of_cell.repeat(8) * (1 + 1e-12))) == 4


def made_extrapolation() -> tuple[Extrapolation, list[Environments]]:
    structures = made_structures(60)
    statistics = FeatureStatistics.of_structures(structures, (8, 14))
    return Extrapolation.fit(statistics, [[structure] for structure in structures]), structures


NUMBERS = torch.tensor([8, 14])


def test_a_supercell_does_not_change_the_verdict() -> None:
    extrapolation, _ = made_extrapolation()
    for stretch in np.geomspace(0.5, 5, 20):
        for cell in made_structures(2, seed=11):
            features, numbers = stretch * cell.features, NUMBERS[cell.species]
            found = extrapolation.grades(features.repeat(8, 1), numbers.repeat(8))
            [of_cell] = extrapolation.verdicts(found[:8], numbers, [8])
            [of_supercell] = extrapolation.verdicts(found, numbers.repeat(8), [64])
            assert of_supercell == of_cell


def test_a_supercell_of_a_crystal_does_not_change_the_verdict() -> None:
    [model] = [part for part in truth().parts if isinstance(part, LinearACE)]

    def environments(atoms: Atoms) -> Environments:
        features = model.features(neighbor_graph(Batch.from_atoms(atoms), model.cutoff))
        return Environments(features, torch.zeros(len(features), dtype=torch.int64))

    training = [environments(atoms) for atoms in cells(40)]
    extrapolation = Extrapolation.fit(FeatureStatistics.of_structures(training, (14,)), [[s] for s in training])
    flagged = []
    for stretch in (1.0, 0.97, 0.94, 0.9, 0.8):
        for atoms in cells(2, first_seed=50):
            atoms.set_cell(stretch * atoms.cell.array, scale_atoms=True)
            verdicts = []
            for structure in (atoms, atoms * (2, 2, 2)):
                numbers = torch.tensor(structure.numbers)
                grades_of = extrapolation.grades(environments(structure).features, numbers)
                verdicts += extrapolation.verdicts(grades_of, numbers, [len(structure)])
            assert verdicts[0].flagged == verdicts[1].flagged
            assert verdicts[0].environments == verdicts[1].environments
            assert verdicts[0].grade == pytest.approx(verdicts[1].grade, rel=1e-6)
            flagged.append(verdicts[0].flagged)
    assert set(flagged) == {True, False}


def test_left_out_structures_are_flagged_as_rarely_as_promised() -> None:
    extrapolation, _ = made_extrapolation()
    others = made_structures(400, seed=21)
    atoms = Environments.together(others)
    numbers = NUMBERS[atoms.species]
    verdicts = extrapolation.verdicts(extrapolation.grades(atoms.features, numbers), numbers, [8] * 400)
    assert 0.0 < np.mean([verdict.flagged for verdict in verdicts]) < 0.09


def test_a_verdict_names_the_worst_atom_and_says_why() -> None:
    extrapolation, structures = made_extrapolation()
    strange = structures[0].features.clone()
    strange[5] *= 50
    numbers = NUMBERS[structures[0].species]
    both = torch.cat([structures[1].features, strange])
    all_numbers = torch.cat([NUMBERS[structures[1].species], numbers])
    known, far = extrapolation.verdicts(extrapolation.grades(both, all_numbers), all_numbers, [8, 8])
    assert not known.flagged
    assert "no atom is farther" in known.why
    assert far.flagged
    assert far.worst_atom == 5
    assert far.grade is not None
    assert far.grade > far.threshold
    symbol = {8: "O", 14: "Si"}[int(numbers[5])]
    assert far.why.startswith(f"atom 5 ({symbol}) is ")
    assert far.to_dict()["worst_atom"] == 5


def test_a_species_without_training_atoms_is_named() -> None:
    only = [Environments(s.features[s.species == 0], s.species[s.species == 0]) for s in made_structures(30, atoms=8)]
    extrapolation = Extrapolation.fit(FeatureStatistics.of_structures(only, (8, 14)), [[s] for s in only])
    numbers = torch.tensor([8, 14])
    [verdict] = extrapolation.verdicts(extrapolation.grades(only[0].features[:2], numbers), numbers, [2])
    assert verdict.flagged
    assert verdict.grade is None
    assert verdict.worst_atom == 1
    assert verdict.why == "there is nothing in the training that atom 1 (Si) could be compared with"


def test_an_element_that_was_not_trained_for_is_refused() -> None:
    extrapolation, structures = made_extrapolation()
    for number in (1, 10, 79):
        with pytest.raises(UnknownSpecies, match="was to be graded"):
            extrapolation.grades(structures[0].features[:2], torch.tensor([8, number]))


def test_what_is_not_a_number_is_flagged() -> None:
    extrapolation, structures = made_extrapolation()
    features, numbers = structures[0].features.clone(), NUMBERS[structures[0].species]
    features[3, 0] = torch.nan
    [verdict] = extrapolation.verdicts(extrapolation.grades(features, numbers), numbers, [len(numbers)])
    assert verdict.flagged
    assert verdict.worst_atom == 3


def test_identical_training_structures_are_not_flagged_and_others_are() -> None:
    cell = made_structures(1)[0]
    statistics = FeatureStatistics.of_structures([cell] * 30, (8, 14))
    extrapolation = Extrapolation.fit(statistics, [[cell]] * 30)
    numbers = NUMBERS[cell.species]
    [same] = extrapolation.verdicts(extrapolation.grades(cell.features, numbers), numbers, [len(cell)])
    [other] = extrapolation.verdicts(extrapolation.grades(1.5 * cell.features, numbers), numbers, [len(cell)])
    assert not same.flagged
    assert other.flagged


def test_an_extrapolation_survives_its_state_to_the_bit() -> None:
    extrapolation, structures = made_extrapolation()
    again = restore(extrapolation.to_state())
    assert isinstance(again, Extrapolation)
    atoms = structures[4]
    numbers = NUMBERS[atoms.species]
    assert torch.equal(again.grades(atoms.features, numbers), extrapolation.grades(atoms.features, numbers))
    assert again.thresholds == extrapolation.thresholds
    assert again.species == extrapolation.species


def test_what_a_file_holds_of_a_large_basis_is_a_few_megabytes() -> None:
    functions = 1224
    one = torch.zeros(1, functions, dtype=torch.float64)
    eye = torch.eye(functions, dtype=torch.float64)[None]
    detector = MahalanobisDetector.of(FeatureStatistics((14,), torch.tensor([9]), one, eye))
    state = Extrapolation((14,), detector, Thresholds(0.05, (1,), (1.0,))).to_state()
    assert sum(t.numel() * t.element_size() for t in state.tensors.values()) < 3.2e6

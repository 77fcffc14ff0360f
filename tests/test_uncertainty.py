"""The posterior of a linear model's coefficients, and the statistics of the features it was trained on."""

import numpy as np
import pytest
import torch
from ase.build import bulk
from training_structures import (
    CONFIG,
    ISOLATED_EV,
    cells,
    isolated_silicon,
    label,
    labelled_cells,
    noisy,
    trained,
    trained_on_noise,
    truth,
)

from adiabat.models import LinearACE
from adiabat.neighbors import neighbor_graph
from adiabat.potential import Potential
from adiabat.system import Batch, restore
from adiabat.training import train
from adiabat.training.examples import ExampleMaker
from adiabat.training.leave_one_out import leave_one_structure_out
from adiabat.training.regression import Solution
from adiabat.uncertainty import Covariance, FeatureStatistics, LinearPosterior


def made_posterior(columns: int = 5) -> tuple[LinearPosterior, np.ndarray]:
    """A posterior and the precision that it is made from."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(20, columns)) * 10.0 ** rng.uniform(-2, 2, columns)
    precision = rows.T @ rows
    scale = 1 / np.sqrt(np.diag(precision))
    factor = np.linalg.cholesky(precision * scale * scale[:, None])
    mean = torch.from_numpy(rng.normal(size=columns))
    covariance = Covariance(torch.from_numpy(factor), torch.from_numpy(scale))
    return LinearPosterior(mean, covariance, {"energy": 0.01}), precision


def test_the_covariance_is_the_inverse_of_the_precision() -> None:
    posterior, precision = made_posterior()
    unit = posterior.covariance.dense().numpy() @ precision
    np.testing.assert_allclose(unit, np.eye(5), atol=1e-8 * np.abs(unit).max())


def test_a_posterior_survives_its_state() -> None:
    posterior, _ = made_posterior()
    again = restore(posterior.to_state())
    assert isinstance(again, LinearPosterior)
    assert torch.equal(again.mean, posterior.mean)
    for name in ("factor", "scale"):
        assert torch.equal(getattr(again.covariance, name), getattr(posterior.covariance, name))
    assert again.noise == posterior.noise


def parts(potential: Potential) -> tuple[LinearACE, LinearPosterior, FeatureStatistics]:
    """The learned part and what is attached."""
    model = next(part for part in potential.parts if isinstance(part, LinearACE))
    posterior, statistics = potential.attachments["posterior"], potential.attachments["feature_statistics"]
    assert isinstance(posterior, LinearPosterior)
    assert isinstance(statistics, FeatureStatistics)
    return model, posterior, statistics


def test_the_posterior_of_a_trained_potential_is_about_its_coefficients() -> None:
    model, posterior, _ = parts(trained())
    assert torch.equal(posterior.mean, model.coefficients.flatten())
    assert set(posterior.noise) == {"energy", "forces", "stress"}
    covariance = posterior.covariance.dense()
    assert torch.linalg.eigvalsh(covariance / covariance.abs().max()).min() > -1e-12
    assert bool((covariance.diagonal() > 0).all())


def test_left_out_residuals_have_unit_variance_in_units_of_the_noise() -> None:
    potential = trained_on_noise()
    model, posterior, _ = parts(potential)
    make = ExampleMaker(model, Potential([part for part in potential.parts if part is not model]))
    solution = Solution(posterior.mean.numpy(), posterior.covariance)
    left_out = leave_one_structure_out([make(s) for s in noisy(labelled_cells())], solution, posterior.noise)
    scaled = np.concatenate([r / posterior.noise[kind] for kind, r in left_out.residuals.items()])
    assert np.mean(scaled**2) == pytest.approx(1.0, rel=1e-6)


def features_of(seeds: int, *, first_seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Features and atomic numbers of all atoms of some cells."""
    model, _, _ = parts(trained())
    batch = Batch.from_atoms(cells(seeds, first_seed=first_seed))
    return model.features(neighbor_graph(batch, model.cutoff)), batch.numbers


def test_feature_statistics_are_those_of_the_training_atoms() -> None:
    _, _, statistics = parts(trained())
    features, _ = features_of(7)
    assert statistics.species == (14,)
    assert statistics.count.tolist() == [56]
    values = features.numpy()
    np.testing.assert_allclose(statistics.mean[0].numpy(), values.mean(axis=0), atol=1e-12 * abs(values).max())
    expected = np.cov(values.T, bias=True)
    np.testing.assert_allclose(statistics.covariance[0].numpy(), expected, atol=1e-11 * np.square(values).max())


def made_statistics() -> tuple[FeatureStatistics, np.ndarray]:
    """Two species with correlated features of very different sizes, and the atoms of the second."""
    rng = np.random.default_rng(4)
    drawn = [rng.normal(size=(200, 3)) @ rng.normal(size=(3, 3)) * [1.0, 1e3, 1e-3] + rng.normal(size=3) for _ in "ab"]
    mean = torch.from_numpy(np.stack([d.mean(axis=0) for d in drawn]))
    covariance = torch.from_numpy(np.stack([np.cov(d.T, bias=True) for d in drawn]))
    return FeatureStatistics((8, 14), torch.tensor([200, 200]), mean, covariance), drawn[1]


def test_the_distance_is_mahalanobis_in_units_of_its_mean() -> None:
    statistics, atoms = made_statistics()
    numbers = torch.full((len(atoms),), 14)
    found = statistics.distance(torch.from_numpy(atoms), numbers).numpy()
    centred = atoms - atoms.mean(axis=0)
    inverse = np.linalg.inv(np.cov(atoms.T, bias=True))
    np.testing.assert_allclose(found, np.sqrt(np.einsum("ni,ij,nj->n", centred, inverse, centred) / 3), rtol=1e-5)
    assert np.mean(found**2) == pytest.approx(1.0, rel=1e-5)


def test_an_atom_is_measured_by_its_own_species() -> None:
    statistics, atoms = made_statistics()
    features = torch.from_numpy(atoms[:2])
    both = statistics.distance(features, torch.tensor([8, 14]))
    assert both[0] == statistics.distance(features[:1], torch.tensor([8]))[0]
    assert both[1] == statistics.distance(features[1:], torch.tensor([14]))[0]
    assert both[0] != statistics.distance(features[:1], torch.tensor([14]))[0]


def test_feature_statistics_survive_their_state() -> None:
    statistics, _ = made_statistics()
    again = restore(statistics.to_state())
    assert isinstance(again, FeatureStatistics)
    assert again.species == statistics.species
    for name in ("count", "mean"):
        assert torch.equal(getattr(again, name), getattr(statistics, name))
    symmetric = 0.5 * (statistics.covariance + statistics.covariance.transpose(1, 2))
    torch.testing.assert_close(again.covariance, symmetric, rtol=1e-14, atol=0.0)
    assert torch.equal(again.covariance, again.covariance.transpose(1, 2))


def test_training_atoms_are_at_a_distance_of_one_and_strange_ones_far_away() -> None:
    _, _, statistics = parts(trained())
    features, numbers = features_of(7)
    of_training = statistics.distance(features, numbers)
    assert float(of_training.square().mean().sqrt()) == pytest.approx(1.0, abs=0.35)
    model, _, _ = parts(trained())
    crushed = cells(1)[0]
    crushed.set_cell(crushed.cell.array * 0.8, scale_atoms=True)
    batch = Batch.from_atoms(crushed)
    far = statistics.distance(model.features(neighbor_graph(batch, model.cutoff)), batch.numbers)
    assert float(far.min()) > 10 * float(of_training.max())


def test_a_function_that_never_varies_does_not_hide_the_others() -> None:
    statistics, atoms = made_statistics()
    covariance, mean = torch.zeros(1, 4, 4, dtype=torch.float64), torch.zeros(1, 4, dtype=torch.float64)
    covariance[0, :3, :3], mean[0, :3] = statistics.covariance[1], statistics.mean[1]
    padded = FeatureStatistics((14,), torch.tensor([200]), mean, covariance)
    features = torch.nn.functional.pad(torch.from_numpy(atoms), (0, 1))
    numbers = torch.full((len(atoms),), 14)
    expected = statistics.distance(torch.from_numpy(atoms), numbers) * (3 / 4) ** 0.5
    torch.testing.assert_close(padded.distance(features, numbers), expected, rtol=1e-5, atol=0.0)


def test_the_energy_of_a_lone_atom_is_that_of_the_data() -> None:
    lone = cells(1)[0][:1]
    lone.pbc = False
    energy = trained()(lone, want=("energy",)).energy
    assert energy is not None
    assert float(energy[0]) == ISOLATED_EV


@pytest.mark.parametrize("rattle", [1e-2, 1e-4])
def test_data_that_hardly_vary_have_distances_too(rattle: float) -> None:
    structures = []
    for seed in range(7):
        atoms = bulk("Si", "diamond", a=5.43, cubic=True)
        atoms.positions += np.random.default_rng(seed).normal(scale=rattle, size=(8, 3))
        structures.append(label(atoms, truth(), place=f"structure {seed}"))
    model, _, statistics = parts(train([*structures, isolated_silicon()], CONFIG, quiet=True))
    batch = Batch.from_atoms([structure.atoms for structure in structures])
    found = statistics.distance(model.features(neighbor_graph(batch, model.cutoff)), batch.numbers)
    assert 0.1 < float(found.square().mean().sqrt()) < 1.2

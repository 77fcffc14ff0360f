"""A projection against the quadratic form it stands for."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor

from adiabat.errors import ConfigurationError
from adiabat.uncertainty import Covariance, Projection, project
from adiabat.uncertainty.covariance import CovarianceRoot


def drawn(*shape: int, seed: int) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape))


def decaying_root(columns: int, space: int, seed: int) -> Tensor:
    """A covariance whose standard deviations fall over four orders of magnitude."""
    return drawn(columns, space, seed=seed) * torch.logspace(0, -4, space, dtype=torch.float64)


def sample(count: int, columns: int, dimensions: int, seed: int) -> Tensor:
    """Rows near a subspace; half of them a thousandth as long."""
    rows = drawn(count, dimensions, seed=seed) @ drawn(dimensions, columns, seed=99)
    rows[::2] *= 1e-3
    return rows


def exact(root: Tensor, rows: Tensor) -> Tensor:
    """(n,) x C xᵀ with C formed."""
    return torch.einsum("na,ab,nb->n", rows, root @ root.T, rows)


@dataclass(frozen=True)
class DenseRoot:
    """R as a matrix."""

    root: Tensor

    def whiten(self, rows: Tensor) -> Tensor:
        return rows @ self.root

    def colour(self, vectors: Tensor) -> Tensor:
        return (self.root @ vectors).T


def variance(directions: Tensor, rows: Tensor) -> Tensor:
    return Projection(directions, posterior_share=0.5).variance(rows)


def projected(root: Tensor, sampled: Tensor, *, leading: int, random: int, seed: int = 0) -> Tensor:
    return project(DenseRoot(root), sampled, leading=leading, random=random, seed=seed)


def test_as_many_directions_as_dimensions_are_exact() -> None:
    root = decaying_root(12, 7, seed=0)
    rows = drawn(50, 12, seed=1)
    for leading, random in ((7, 0), (3, 4), (0, 7), (20, 20)):
        found = projected(root, rows, leading=leading, random=random)
        assert len(found) == 7
        assert torch.allclose(variance(found, rows), exact(root, rows), rtol=1e-10, atol=0)


def test_rows_in_a_subspace_are_exact_by_as_many_leading_directions_large_or_small() -> None:
    root = decaying_root(60, 60, seed=0)
    rows = sample(300, 60, 5, seed=1)

    found = projected(root, rows[:150], leading=5, random=1)

    assert torch.allclose(variance(found, rows[150:]), exact(root, rows[150:]), rtol=1e-6, atol=0)


def test_leading_directions_are_the_singular_vectors_of_whitened_rows() -> None:
    root = decaying_root(40, 40, seed=2)
    rows = sample(400, 40, 40, seed=3)
    whitened = rows @ root
    whitened = whitened / whitened.norm(dim=1, keepdim=True)
    eigenvalues = torch.linalg.svdvals(whitened).square() / len(rows)

    found = projected(root, rows, leading=4, random=36)

    share = (rows @ found[:4].T).square().sum(1) / exact(root, rows)
    assert share.mean().item() == pytest.approx(eigenvalues[:4].sum().item(), rel=1e-3)


def test_each_row_of_the_sample_counts_alike() -> None:
    root = decaying_root(10, 10, seed=4)
    rows = drawn(20, 10, seed=5)
    lengths = torch.logspace(-6, 6, 20, dtype=torch.float64)[:, None]

    found, again = (projected(root, each, leading=3, random=7) for each in (rows, lengths * rows))

    assert torch.allclose(variance(again[:3], rows), variance(found[:3], rows), rtol=1e-6)


def test_off_the_sample_the_variance_is_right_in_the_mean_and_scatters_as_a_chi_squared() -> None:
    root = drawn(80, 80, seed=6)
    sampled = sample(200, 80, 3, seed=7)
    row = drawn(1, 80, seed=8)
    true = exact(root, row)
    random, repeats = 16, 600

    found = torch.cat(
        [variance(projected(root, sampled, leading=3, random=random, seed=s), row) for s in range(repeats)]
    )

    ratio = (found / true).numpy()
    # The rest's share of the variance is 1 - a; a random frame of s in d dimensions holds s/d of it, beta-distributed.
    whitened = row @ root / true.sqrt()
    leading = projected(root, sampled, leading=3, random=random)[:3]
    rest = 1 - float((row @ leading.T).square().sum() / true)
    dimensions = 77
    scatter = rest * np.sqrt(2 / random * (dimensions - random) / (dimensions + 2))
    assert float(whitened.square().sum()) == pytest.approx(1.0)
    assert ratio.mean() == pytest.approx(1.0, abs=4 * scatter / np.sqrt(repeats))
    assert ratio.std() == pytest.approx(scatter, rel=0.15)


def test_the_root_of_a_posterior_and_sets_is_that_of_their_sum() -> None:
    lower = torch.linalg.cholesky(torch.cov(drawn(9, 40, seed=12)) + torch.eye(9, dtype=torch.float64))
    covariance, sets = Covariance(lower, drawn(9, seed=13).abs()), drawn(4, 9, seed=14)
    rows, root = drawn(20, 9, seed=15), CovarianceRoot(covariance, sets)

    dense = covariance.dense() + sets.T @ sets

    assert torch.allclose(root.whiten(rows).square().sum(1), torch.einsum("na,ab,nb->n", rows, dense, rows))
    assert torch.allclose(rows @ root.colour(torch.eye(13, dtype=torch.float64)).T, root.whiten(rows))


def test_the_same_seed_gives_the_same_directions() -> None:
    root, rows = decaying_root(20, 20, seed=9), drawn(30, 20, seed=1)

    once, again, other = (projected(root, rows, leading=8, random=8, seed=seed) for seed in (1, 1, 2))

    assert torch.equal(once, again)
    assert not torch.equal(once, other)


def test_a_singular_covariance_of_low_rank_is_exact() -> None:
    root = torch.cat([decaying_root(30, 4, seed=10), torch.zeros(30, 6, dtype=torch.float64)], dim=1)
    rows = drawn(40, 30, seed=11)

    found = projected(root, rows, leading=4, random=2)

    assert torch.allclose(variance(found, rows), exact(root, rows), rtol=1e-8, atol=0)


@pytest.mark.parametrize(("leading", "random"), [(-1, 4), (4, -1), (4, 0), (0, 0)])
def test_numbers_that_leave_a_rest_uncovered_are_refused(leading: int, random: int) -> None:
    with pytest.raises(ConfigurationError, match="random directions of 20"):
        projected(decaying_root(20, 20, seed=0), drawn(9, 20, seed=0), leading=leading, random=random)


def test_a_sample_without_variance_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="3 rows without variance"):
        projected(torch.zeros(5, 5, dtype=torch.float64), drawn(3, 5, seed=0), leading=2, random=2)

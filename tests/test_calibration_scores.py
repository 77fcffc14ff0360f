"""Scores of standard deviations against errors: closed forms, and draws from a known distribution."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from adiabat.errors import DataError
from adiabat.uncertainty.scores import (
    LEVELS,
    calibrated_range,
    coverage,
    effective_count,
    is_calibrated,
    negative_log_likelihood,
    rank_correlation,
    reliability,
    root_mean_square_z,
)

RNG = np.random.default_rng(3)
STD = RNG.uniform(0.1, 5.0, size=20_000)
ERRORS = STD * RNG.normal(size=len(STD))
ONE = np.ones(4)


@pytest.mark.parametrize("level", LEVELS)
def test_draws_with_the_stated_deviations_are_covered_as_often_as_stated(level: float) -> None:
    assert coverage(ERRORS, STD, level) == pytest.approx(level, abs=0.012)
    assert is_calibrated(coverage(ERRORS, STD, level), level, len(STD))


@pytest.mark.parametrize(("factor", "expected"), [(0.5, 0.3829), (2.0, 0.9545)])
def test_deviations_wrong_by_a_factor_are_told_from_right_ones(factor: float, expected: float) -> None:
    one_sigma = 0.6827  # and these are the shares of a normal distribution within σ/2 and 2 σ
    found = coverage(ERRORS, factor * STD, one_sigma)
    assert found == pytest.approx(expected, abs=0.012)
    assert not is_calibrated(found, one_sigma, len(STD))


def test_the_interval_is_central_and_two_sided() -> None:
    errors = np.array([-1.95, 1.95, -1.97, 1.97])  # 95 % of a normal distribution lie within 1.96 σ
    assert coverage(errors, ONE, 0.95) == 0.5


def test_the_likelihood_is_that_of_a_normal_distribution() -> None:
    assert negative_log_likelihood(np.zeros(1), np.ones(1)) == pytest.approx(0.9189385332)  # ln(2π)/2
    assert negative_log_likelihood(np.array([2.0, 0.0]), np.array([1.0, np.e])) == pytest.approx(0.9189385332 + 1.5)


def test_the_likelihood_is_best_for_the_true_deviations() -> None:
    best = negative_log_likelihood(ERRORS, STD)
    assert best < negative_log_likelihood(ERRORS, 1.2 * STD)
    assert best < negative_log_likelihood(ERRORS, 0.8 * STD)
    assert best < negative_log_likelihood(ERRORS, np.full_like(STD, ERRORS.std()))


def test_the_root_mean_square_of_standardised_errors_is_their_scale() -> None:
    assert root_mean_square_z(np.array([3.0, -4.0]), np.array([1.0, 1.0])) == pytest.approx(np.sqrt(12.5))
    assert root_mean_square_z(ERRORS, 2 * STD) == pytest.approx(0.5, abs=0.01)


def test_the_rank_correlation_is_spearmans() -> None:
    magnitudes = np.abs(ERRORS[:500]).round(1)  # with ties
    expected = spearmanr(magnitudes, STD[:500]).statistic  # pyright: ignore[reportAttributeAccessIssue]
    assert rank_correlation(magnitudes, STD[:500]) == pytest.approx(expected, abs=1e-12)
    assert rank_correlation(np.array([1.0, 2.0, 9.0]), np.array([0.1, 0.2, 0.3])) == pytest.approx(1.0)
    assert rank_correlation(np.array([9.0, 2.0, 1.0]), np.array([0.1, 0.2, 0.3])) == pytest.approx(-1.0)


@pytest.mark.parametrize(
    ("magnitudes", "std"),
    [([1.0, 2.0], [1.0, 2.0]), ([1.0, 2.0, 3.0], [1.0, 1.0, 1.0]), ([1.0, 1.0, 1.0], [1.0, 2.0, 3.0]), ([], [])],
    ids=["two samples", "one deviation for all", "one error for all", "none"],
)
def test_where_nothing_can_be_ranked_there_is_no_rank_correlation(magnitudes: list[float], std: list[float]) -> None:
    assert rank_correlation(np.array(magnitudes), np.array(std)) is None


def test_the_range_of_a_calibrated_prediction_is_that_of_the_binomial_distribution() -> None:
    # Of 100 samples; by the binomial distribution function, e.g. P(X < 56) = 0.0047, P(X <= 80) = 0.9970 at 0.68.
    assert calibrated_range(0.68, 100) == (0.56, 0.80)
    assert calibrated_range(0.95, 100) == (0.89, 1.0)
    assert calibrated_range(0.5, 1) == (0.0, 1.0)


def test_about_one_of_a_hundred_calibrated_predictions_falls_out_of_the_range() -> None:
    shares = np.random.default_rng(0).binomial(60, 0.68, size=5000) / 60
    outside = np.mean([not is_calibrated(share, 0.68, 60) for share in shares])
    assert 0.002 < outside < 0.013


def test_samples_on_their_own_count_each() -> None:
    assert effective_count(np.array([True, False, True, True]), np.arange(4)) == 4


def test_samples_that_are_copies_of_each_other_count_once() -> None:
    hits = np.repeat(RNG.random(400) < 0.7, 25)
    assert effective_count(hits, np.repeat(np.arange(400), 25)) == pytest.approx(400, rel=0.02)


def test_independent_samples_in_groups_count_about_as_many_as_they_are() -> None:
    hits = RNG.random(20_000) < 0.7
    assert effective_count(hits, np.repeat(np.arange(800), 25)) > 15_000


def test_a_group_alone_says_nothing_of_the_spread_between_groups() -> None:
    assert effective_count(np.array([True, False, True]), np.zeros(3, dtype=np.int64)) == 1
    assert effective_count(np.ones(6, dtype=bool), np.array([0, 0, 1, 1, 2, 2])) == 3


def test_a_reliability_curve_of_true_deviations_stays_in_its_band_and_of_wrong_ones_does_not() -> None:
    levels = np.linspace(0.05, 0.95, 19)
    right = reliability(ERRORS[:2000], STD[:2000], levels)
    assert right.levels == pytest.approx(levels)
    assert ((right.low <= right.observed) & (right.observed <= right.high)).all()
    wrong = reliability(ERRORS[:2000], 0.7 * STD[:2000], levels)
    assert (wrong.observed < wrong.low).mean() > 0.9


def test_the_band_is_wider_where_samples_go_together() -> None:
    groups = np.repeat(np.arange(40), 50)
    together = np.repeat(ERRORS[:40] / STD[:40], 50)
    ones, levels = np.ones(2000), np.array([0.68])
    apart, grouped = reliability(together, ones, levels), reliability(together, ones, levels, groups=groups)
    assert grouped.high[0] - grouped.low[0] > 5 * (apart.high[0] - apart.low[0])
    assert (grouped.low[0], grouped.high[0]) == pytest.approx(calibrated_range(0.68, 40), abs=0.03)


@pytest.mark.parametrize(
    ("errors", "std"),
    [
        (np.zeros(0), np.zeros(0)),
        (np.ones(2), np.array([1.0, 0.0])),
        (np.ones(2), np.array([1.0, -1.0])),
        (np.ones(2), np.array([1.0, np.nan])),
        (np.array([1.0, np.inf]), np.ones(2)),
        (np.ones(3), np.ones(2)),
        (np.ones((2, 3)), np.ones((2, 3))),
    ],
    ids=["no samples", "zero", "negative", "not a number", "an infinite error", "other lengths", "not flat"],
)
def test_what_has_no_score_is_refused(errors: np.ndarray, std: np.ndarray) -> None:
    for score in (lambda: coverage(errors, std, 0.68), lambda: negative_log_likelihood(errors, std)):
        with pytest.raises(DataError):
            score()


@pytest.mark.parametrize("level", [0.0, 1.0, 68.0, float("nan")])
def test_a_level_that_is_no_share_is_refused(level: float) -> None:
    with pytest.raises(DataError, match="level"):
        coverage(ONE, ONE, level)


def test_a_range_of_no_samples_is_refused() -> None:
    with pytest.raises(DataError, match="one sample or more"):
        calibrated_range(0.68, 0)

"""The slope of labels on predictions whose errors go together, held by closed forms and by drawn data."""

import numpy as np
import pytest

from adiabat.training.coherence.slopes import Slope, label_slope
from adiabat.typing import FloatArray

NOTHING_FREE = np.zeros((40, 1))


def drawn(seed: int = 0, count: int = 40) -> np.random.Generator:
    return np.random.default_rng((seed, count))


def slope_of(labels: FloatArray, predictions: FloatArray, covariance: FloatArray, free: FloatArray) -> Slope:
    found = label_slope(labels, predictions, covariance, free)
    assert found is not None
    return found


def test_certain_predictions_give_the_slope_of_least_squares_and_its_standard_error() -> None:
    rng = drawn()
    x = rng.normal(size=40)
    y = 1.7 * x + rng.normal(scale=0.3, size=40)

    found = slope_of(y, x, np.zeros((40, 40)), NOTHING_FREE)

    value = (x @ y) / (x @ x)
    residual = y - value * x
    assert found.value == pytest.approx(value, rel=1e-9)
    assert found.std == pytest.approx(np.sqrt(residual @ residual / 39 / (x @ x)), rel=0.2)
    assert found.correlation == pytest.approx((x @ y) / np.sqrt((x @ x) * (y @ y)), rel=1e-9)
    assert found.count == 40


def test_what_predictions_leave_open_does_not_decide_the_slope() -> None:
    """A direction in which predictions are far off, and say so, is passed over; weights of single labels would not do."""
    rng = drawn()
    direction, truth = rng.normal(size=40), rng.normal(size=40)
    predictions = truth + 20.0 * direction
    covariance = 400.0 * np.outer(direction, direction) + 1e-4 * np.eye(40)
    labels = truth + rng.normal(scale=0.01, size=40)

    found = slope_of(labels, predictions, covariance, NOTHING_FREE)

    by_single_labels = (
        (predictions / np.diag(covariance)) @ labels / ((predictions / np.diag(covariance)) @ predictions)
    )
    assert found.value == pytest.approx(1.0, abs=0.02)
    assert abs(by_single_labels) < 0.5


def test_free_directions_count_for_nothing() -> None:
    rng = drawn()
    x, free = rng.normal(size=40), rng.normal(size=(40, 2))
    free = np.column_stack([free, free.sum(axis=1)])  # one of them says nothing new
    covariance = 0.01 * np.eye(40)
    labels = x + rng.normal(scale=0.1, size=40)

    plain = slope_of(labels, x, covariance, free)
    shifted = slope_of(labels + free @ [50.0, -80.0, 3.0], x + free @ [1.0, 2.0, 3.0], covariance, free)

    assert shifted.value == pytest.approx(plain.value, rel=1e-6)
    assert shifted.std == pytest.approx(plain.std, rel=1e-4)


@pytest.mark.parametrize("factor", [1 / 27.211386, -1.0, 1602.1766])
def test_a_factor_on_the_labels_is_a_factor_on_the_slope(factor: float) -> None:
    rng = drawn()
    x = rng.normal(size=40)
    draw = rng.normal(size=(40, 5))
    covariance = 0.02 * draw @ draw.T
    labels = x + rng.multivariate_normal(np.zeros(40), covariance) + rng.normal(scale=0.05, size=40)

    plain, scaled = (slope_of(f * labels, x, covariance, NOTHING_FREE) for f in (1.0, factor))

    assert scaled.value == pytest.approx(factor * plain.value, rel=1e-6)
    assert scaled.std == pytest.approx(abs(factor) * plain.std, rel=1e-6)
    assert plain.divided(factor).value == pytest.approx(plain.value / factor)


@pytest.mark.parametrize("inflation", [1.0, 25.0])
def test_standard_errors_are_those_of_repeated_draws(inflation: float) -> None:
    """Also where the true covariance is larger than the one that is given."""
    deviations = []
    for seed in range(150):
        rng = drawn(seed)
        draw = rng.normal(size=(40, 8))
        covariance = 0.01 * draw @ draw.T
        x = rng.normal(size=40)
        errors = np.sqrt(inflation) * 0.1 * draw @ rng.normal(size=8)
        found = slope_of(x + errors + rng.normal(scale=0.1, size=40), x, covariance, NOTHING_FREE)
        deviations.append((found.value - 1) / found.std)
    assert abs(np.mean(deviations)) < 4 / np.sqrt(150)
    assert np.std(deviations) == pytest.approx(1.0, abs=0.25)


def test_errors_of_predictions_alone_leave_the_truth_between_the_two_regressions() -> None:
    rng = drawn(count=4000)
    truth = rng.normal(size=400)
    predictions = truth + rng.normal(scale=0.5, size=400)

    found = slope_of(truth, predictions, 1e-6 * np.eye(400), np.zeros((400, 1)))

    assert found.value == pytest.approx(1 / 1.25, abs=0.06)  # attenuated by the share of the truth in the variance
    assert found.reverse == pytest.approx(1.0, abs=0.06)
    assert found.value + 3 * found.std + 0.1 < 1
    assert found.fits


@pytest.mark.parametrize("count", [1, 6])
def test_too_few_labels_have_no_slope(count: int) -> None:
    x = drawn().normal(size=count)
    assert label_slope(x, x, np.eye(count), np.ones((count, 1))) is None


@pytest.mark.parametrize(("labels", "predictions"), [(np.ones(12), np.arange(12.0)), (np.arange(12.0), np.ones(12))])
def test_labels_or_predictions_that_do_not_differ_have_no_slope(labels: FloatArray, predictions: FloatArray) -> None:
    assert label_slope(labels, predictions, np.eye(12), np.ones((12, 1))) is None


@pytest.mark.parametrize(
    ("slope", "tells", "fits", "is_of_another_unit"),
    [
        (Slope(1.09, 0.001, 1.0, 40), True, True, False),
        (Slope(1.12, 0.001, 1.0, 40), True, False, False),
        (Slope(0.88, 0.001, 1.0, 40), True, False, False),
        (Slope(1.12, 0.01, 1.0, 40), True, True, False),
        (Slope(0.7, 0.01, 0.8, 40), True, True, False),  # 1.09 by the other regression
        (Slope(1.4, 0.01, 0.5, 40), True, False, False),  # no other regression brings this down
        (Slope(27.2, 6.0, 0.99, 40), False, False, False),
        (Slope(27.2, 3.0, 0.99, 40), True, False, True),
        (Slope(27.2, 3.0, 0.5, 40), True, False, False),
        (Slope(0.037, 0.001, 0.99, 40), True, False, True),
        (Slope(0.3, 0.01, 0.75, 40), True, False, True),
        (Slope(-1.0, 0.15, -0.9, 12), True, False, True),
        (Slope(0.1, 0.05, 0.3, 12), False, True, False),
    ],
)
def test_a_slope_counts_where_it_is_certain(slope: Slope, tells: bool, fits: bool, is_of_another_unit: bool) -> None:
    assert (slope.tells, slope.fits, slope.is_of_another_unit) == (tells, fits, is_of_another_unit)

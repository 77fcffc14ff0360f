"""Means and intervals of errors, against closed forms."""

import numpy as np
import pytest

from adiabat.evaluation.statistics import FEWEST_FOR_INTERVAL, statistics


def test_components_of_all_structures_count_alike() -> None:
    found = statistics([np.array([[1.0, -3.0]]), np.array([2.0])])
    assert found.mae == pytest.approx(2.0)
    assert found.rmse == pytest.approx(np.sqrt(14 / 3))
    assert (found.largest, found.largest_in, found.largest_at) == (3.0, 0, 1)


def test_no_errors_give_no_numbers_rather_than_zeros() -> None:
    found = statistics([])
    assert found.mae is None
    assert found.rmse is None
    assert found.largest is None
    assert found.mae_interval_95 is None


def test_the_interval_is_as_wide_as_the_central_limit_theorem_says() -> None:
    """The magnitude of a standard normal error has the variance 1 - 2/π."""
    n = 2000
    errors = np.random.default_rng(3).normal(size=n)
    interval = statistics(list(errors.reshape(n, 1))).mae_interval_95
    assert interval is not None
    expected = 2 * 1.96 * np.sqrt((1 - 2 / np.pi) / n)
    assert interval[1] - interval[0] == pytest.approx(expected, rel=0.1)


def test_the_interval_holds_the_true_mean_about_as_often_as_it_says() -> None:
    rng, true = np.random.default_rng(11), np.sqrt(2 / np.pi)
    trials = [statistics(list(rng.normal(size=(25, 1)))).mae_interval_95 for _ in range(60)]
    hits = sum(interval is not None and interval[0] <= true <= interval[1] for interval in trials)
    assert 50 <= hits <= 60  # 95 % of 60 is 57; percentiles of 25 values cover a little less


def test_components_that_share_a_structure_widen_the_interval() -> None:
    """A hundred copies of one error are one piece of evidence, not a hundred."""
    errors = np.random.default_rng(5).normal(size=(50, 1))
    single, copied = statistics(list(errors)), statistics([np.repeat(error, 100) for error in errors])
    assert copied.mae_interval_95 == pytest.approx(single.mae_interval_95)


def test_structures_that_share_a_group_widen_the_interval() -> None:
    """Forty frames of one trajectory with one error are one piece of evidence; a structure without a group is one, too."""
    errors = np.random.default_rng(5).normal(size=(50, 1))
    frames, groups = list(np.repeat(errors, 40, axis=0)), [f"trajectory {k // 40}" for k in range(2000)]
    single, grouped = statistics(list(errors)), statistics(frames, groups)
    assert grouped.mae_interval_95 == pytest.approx(single.mae_interval_95)
    assert (single.independent, grouped.independent) == (50, 50)

    assert statistics(list(errors), [None] * 50) == single
    mixed = statistics(frames, [group if group < "trajectory 3" else None for group in groups])
    assert mixed.independent == len({g for g in groups if g < "trajectory 3"}) + sum(
        g >= "trajectory 3" for g in groups
    )


def test_few_groups_have_no_interval_however_many_structures_they_hold() -> None:
    errors = list(np.random.default_rng(1).normal(size=(100, 3)))
    groups = [str(k % (FEWEST_FOR_INTERVAL - 1)) for k in range(100)]
    assert statistics(errors, groups).mae_interval_95 is None


def test_the_same_errors_give_the_same_interval() -> None:
    errors = list(np.random.default_rng(1).normal(size=(30, 3)))
    assert statistics(errors) == statistics(errors)


def test_too_few_structures_have_no_interval() -> None:
    errors = list(np.random.default_rng(1).normal(size=(FEWEST_FOR_INTERVAL, 3)))
    assert statistics(errors).mae_interval_95 is not None
    assert statistics(errors[:-1]).mae_interval_95 is None

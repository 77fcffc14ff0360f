"""The calibration of variances by left-out residuals."""

import numpy as np
import pytest

from adiabat.uncertainty import LeftOutRows, calibrate
from adiabat.uncertainty.scores import coverage

N = 20_000
UNITS = {"energy": 1e-3, "forces": 1.0}


def drawn(seed: int, *, widening: float, weight: float, floor: float, unit: float = 1.0, n: int = N) -> LeftOutRows:
    """Residuals that have the variance which the terms say, beside a parametric one of twice the posterior's."""
    rng = np.random.default_rng(seed)
    posterior, displaced = np.exp(rng.normal(size=(2, n))) * unit**2
    variance = (2 + widening) * posterior + weight * displaced + (floor * unit) ** 2
    return LeftOutRows(rng.normal(size=n) * np.sqrt(variance), posterior, displaced, 2 * posterior)


def test_the_weights_by_which_residuals_were_drawn_are_found() -> None:
    rows = {
        "energy": drawn(0, widening=5.0, weight=3.0, floor=0.5, unit=1e-3),
        "forces": drawn(1, widening=5.0, weight=3.0, floor=2.0),
    }
    found = calibrate(rows)
    assert found.widening == pytest.approx(5.0, rel=0.15)
    assert found.weight == pytest.approx(3.0, rel=0.15)
    for kind, floor in (("energy", 0.5e-3), ("forces", 2.0)):
        new = drawn(2, widening=5.0, weight=3.0, floor=floor / UNITS[kind], unit=UNITS[kind])
        expected = 7 * new.posterior + 3 * new.displaced + floor**2
        np.testing.assert_allclose(found.std(new, kind) ** 2, expected, rtol=0.2)


def test_intervals_hold_what_they_say_of_new_residuals() -> None:
    found = calibrate({"forces": drawn(0, widening=20.0, weight=0.0, floor=0.3, n=500)})
    new = drawn(1, widening=20.0, weight=0.0, floor=0.3)
    for level in (0.5, 0.68, 0.9, 0.95):
        assert coverage(new.residuals, found.std(new, "forces"), level) == pytest.approx(level, abs=0.03)


def test_a_kind_whose_errors_are_larger_than_the_others_has_a_larger_scale() -> None:
    rows = {
        "energy": drawn(0, widening=40.0, weight=0.0, floor=0.0, unit=1e-3),
        "forces": drawn(1, widening=10.0, weight=0.0, floor=0.0),
    }
    found = calibrate(rows)
    assert 10.0 < found.widening < 40.0
    for kind, widening in (("energy", 40.0), ("forces", 10.0)):
        one = LeftOutRows(np.zeros(1), np.ones(1), np.zeros(1), np.full(1, 2.0))
        assert float(found.std(one, kind)[0] ** 2) == pytest.approx(2 + widening, rel=0.1)


def test_residuals_that_are_all_within_the_posterior_have_next_to_no_misfit() -> None:
    rng = np.random.default_rng(0)
    posterior = np.exp(rng.normal(size=N))
    rows = LeftOutRows(rng.normal(size=N) * np.sqrt(posterior), posterior, np.ones(N), posterior)
    misfit = calibrate({"forces": rows}).misfit(posterior, np.ones(N), "forces")
    assert misfit.mean() < 0.05 * posterior.mean()


def test_labels_that_are_met_exactly_are_calibrated_to_nothing_without_a_warning() -> None:
    rng = np.random.default_rng(0)
    posterior = np.exp(rng.normal(size=100))
    rows = LeftOutRows(np.zeros(100), posterior, np.zeros(100), np.full(100, 1e-30))
    misfit = calibrate({"forces": rows}).misfit(posterior, np.zeros(100), "forces")
    assert np.isfinite(misfit).all()
    assert misfit.max() < 1e-6


def test_errors_that_shrink_more_slowly_than_the_posterior_are_followed() -> None:
    rng = np.random.default_rng(0)
    posterior = np.exp(2 * rng.normal(size=N))
    variance = 2 * posterior + 0.7 * np.sqrt(posterior)
    rows = LeftOutRows(rng.normal(size=N) * np.sqrt(variance), posterior, np.zeros(N), 2 * posterior)
    found = calibrate({"forces": rows})
    assert found.root["forces"] == pytest.approx(0.7, rel=0.15)
    np.testing.assert_allclose(found.std(rows, "forces") ** 2, variance, rtol=0.3)

"""Averages over a trajectory against ensembles that are known in closed form: harmonic oscillators."""

import math
from importlib import import_module

import numpy as np
import pytest
from analytic_models import PairModel
from ase import Atoms

from adiabat.errors import DataError
from adiabat.potential import Committee, Potential
from adiabat.properties import TrajectoryAverage, member_energies, trajectory_average
from adiabat.properties.arrays import evaluated
from adiabat.typing import FloatArray

KELVIN = 300.0
KT = 8.617333262e-5 * KELVIN
SPRING = 2.0
VARIANCE = KT / SPRING
"""Å², of a coordinate: <x²> = kT / k."""


def positions(frames: int, oscillators: int = 1, seed: int = 0) -> FloatArray:
    return np.random.default_rng(seed).normal(scale=math.sqrt(VARIANCE), size=(frames, oscillators))


def energies(x: FloatArray, spring: float = SPRING) -> FloatArray:
    return 0.5 * spring * (x**2).sum(axis=1)


def mean_square(x: FloatArray, springs: list[float], **options: float) -> TrajectoryAverage:
    """<x²> per coordinate, where members have other springs."""
    members = np.array([energies(x, spring) for spring in springs])
    return trajectory_average(
        (x**2).mean(axis=1), energies(x), {"misfit": members}, temperature_k=options.get("temperature_k", KELVIN)
    )


def test_the_first_order_shift_is_the_derivative_of_the_exact_average() -> None:
    springs = [SPRING * 1.02, SPRING * 0.98, SPRING * 1.01]
    found = mean_square(positions(100_000), springs).responses["misfit"]
    exact = np.array([-VARIANCE * (spring / SPRING - 1) for spring in springs])  # of <x²> = kT / k

    errors = found.shifts_std_sampling
    assert (np.abs(found.shifts - exact) < 4 * errors).all()
    assert (errors < 0.03 * np.abs(exact)).all()
    assert found.std == pytest.approx(math.sqrt(np.mean(exact**2)), rel=0.03)


def test_full_reweighting_gives_the_members_own_average() -> None:
    springs = [SPRING * 1.5, SPRING * 1.1]
    found = mean_square(positions(100_000), springs)

    exact = np.array([KT / spring for spring in springs])
    np.testing.assert_allclose(found.mean + found.responses["misfit"].reweighted, exact, rtol=0.02)


def test_where_the_response_is_not_linear_a_warning_names_it() -> None:
    found = mean_square(positions(100_000), [SPRING * 1.5, SPRING * 1.001])

    assert found.responses["misfit"].differing == (0,)
    assert any("1 of 2 members the first order and full reweighting differ" in warning for warning in found.warnings)
    assert "the response is not linear" in str(found)


def test_a_linear_response_is_exact_in_both_ways_and_draws_no_warning() -> None:
    x = positions(50_000)
    force = 0.02  # eV/Å: the average of x moves by -f / k, whatever f
    members = np.array([energies(x) + force * x[:, 0]])
    found = trajectory_average(x[:, 0], energies(x), {"parametric": members}, temperature_k=KELVIN)
    response = found.responses["parametric"]

    assert response.shifts[0] == pytest.approx(-force / SPRING, rel=0.03)
    assert response.reweighted[0] == pytest.approx(-force / SPRING, rel=0.03)
    assert found.warnings == ()


def test_full_reweighting_collapses_with_the_size_of_the_system_and_the_first_order_does_not() -> None:
    """Every oscillator's spring is 20 % stiffer in the member; the shift of <x²> of one of them stays what it is."""
    left = []
    for oscillators in (1, 30, 1000):
        x = positions(4000, oscillators, seed=1)
        found = trajectory_average(
            (x**2).mean(axis=1), energies(x), {"misfit": energies(x, 1.2 * SPRING)[None]}, temperature_k=KELVIN
        )
        response = found.responses["misfit"]
        left.append(response.effective_frames[0])
        assert abs(response.shifts[0] + 0.2 * VARIANCE) < 4 * response.shifts_std_sampling[0]

    assert left[0] > 2000
    assert left[1] < 0.8 * left[0]
    assert left[2] < 30
    assert np.isnan(response.reweighted[0])
    assert any("left with fewer than 30 frames" in warning for warning in found.warnings)


def test_a_constant_in_a_members_energy_changes_nothing() -> None:
    x = positions(2000)
    one, other = (
        trajectory_average(x[:, 0] ** 2, energies(x), {"misfit": members[None]}, temperature_k=KELVIN)
        for members in (energies(x, 2.2), energies(x, 2.2) + 5000.0)
    )

    np.testing.assert_allclose(one.responses["misfit"].shifts, other.responses["misfit"].shifts, rtol=1e-6)
    np.testing.assert_allclose(one.responses["misfit"].reweighted, other.responses["misfit"].reweighted, rtol=1e-6)


def test_the_sampling_error_counts_correlated_frames_for_less() -> None:
    """x follows an autoregression with the correlation time τ = -1 / ln φ: the variance of its mean is σ² (1 + φ) / (1 - φ) / n."""
    persistence, frames = 0.95, 50_000
    noise = np.random.default_rng(2).normal(size=frames) * math.sqrt((1 - persistence**2) * VARIANCE)
    x = np.zeros(frames)
    for step in range(1, frames):
        x[step] = persistence * x[step - 1] + noise[step]
    found = trajectory_average(x, 0.5 * SPRING * x**2, {"misfit": 0.52 * SPRING * x[None] ** 2}, temperature_k=KELVIN)

    exact = math.sqrt(VARIANCE * (1 + persistence) / (1 - persistence) / frames)
    assert found.std_sampling == pytest.approx(exact, rel=0.6)
    assert found.independent_frames == pytest.approx(frames * (1 - persistence) / (1 + persistence), rel=1.2)


def test_sampling_errors_of_shifts_are_as_large_as_their_scatter() -> None:
    exact = -0.05 * VARIANCE
    within = []
    for seed in range(150):
        found = mean_square(positions(400, seed=seed), [1.05 * SPRING]).responses["misfit"]
        within.append(np.abs(found.shifts - exact) / found.shifts_std_sampling)
    known = np.concatenate(within)[np.isfinite(np.concatenate(within))]

    assert len(known) > 140
    assert 0.9 <= np.mean(known < 2) < 1
    assert 0.5 <= np.mean(known < 1) < 0.9


def test_parts_and_sampling_stand_apart_and_add_up_in_print() -> None:
    x = positions(50_000)
    found = trajectory_average(
        1e3 * x[:, 0] ** 2,
        energies(x),
        {"misfit": np.array([energies(x, 2.04)]), "parametric": np.array([energies(x, 1.98)])},
        temperature_k=KELVIN,
        unit="10⁻³ Å²",
    )

    assert found.std == pytest.approx(1e3 * VARIANCE * math.hypot(0.02, 0.01), rel=0.1)
    assert found.std_sampling is not None
    assert found.total == pytest.approx(math.hypot(found.std, found.std_sampling))
    assert str(found).startswith(
        f"{found.mean:.1f} ± {found.total:.1f} 10⁻³ Å² (sampling 0.1, misfit 0.3, parametric 0.1)"
    )


def test_a_short_trajectory_has_no_sampling_error_and_says_so() -> None:
    found = mean_square(positions(20), [1.1 * SPRING])

    assert found.std_sampling is None
    assert np.isnan(found.responses["misfit"].shifts_std_sampling).all()
    assert "sampling not known" in str(found)
    assert "too few frames" in str(found)


def test_a_spread_that_is_noise_is_called_noise() -> None:
    x = positions(100, oscillators=300)
    members = np.array([energies(x, 1.05 * SPRING)])  # what matters to x of one oscillator is drowned by the other 299
    found = trajectory_average(x[:, 0] ** 2, energies(x), {"misfit": members}, temperature_k=KELVIN)

    assert any("is their sampling error" in warning for warning in found.warnings)


def test_energies_of_members_are_theirs_at_every_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    members = [
        Potential([PairModel(epsilon_ev={18: depth}, sigma={18: 3.4}, cutoff=7.0)]) for depth in (0.01, 0.012, 0.014)
    ]
    frames = [Atoms("Ar2", positions=[[0, 0, 0], [0, 0, length]]) for length in (3.5, 3.7, 3.9, 4.1, 4.3)]
    monkeypatch.setattr(import_module("adiabat.properties.member_energies"), "ATOMS_AT_ONCE", 4)
    own, by_part = member_energies(frames, Committee(members), quiet=True)

    exact = np.array([[float(evaluated(member, [atoms], "energy")[0][0]) for atoms in frames] for member in members])
    np.testing.assert_allclose(by_part["committee"], exact)
    np.testing.assert_allclose(own, exact.mean(axis=0))


def test_energies_of_members_need_frames() -> None:
    with pytest.raises(DataError, match="no frames"):
        member_energies([], Potential([PairModel(epsilon_ev={18: 0.01}, sigma={18: 3.4}, cutoff=7.0)]))


def test_the_result_is_json() -> None:
    written = mean_square(positions(500), [1.1 * SPRING, 3.0 * SPRING]).to_dict()

    assert {"std", "shifts", "reweighted", "effective_frames"} <= set(written["responses"]["misfit"])


@pytest.mark.parametrize(
    ("observable", "reference", "members", "kelvin", "said"),
    [
        (np.ones(5), np.ones(4), np.ones((2, 5)), 300.0, r"shape \(5,\) and energies of \(4,\)"),
        (np.ones(5), np.ones(5), np.ones((2, 4)), 300.0, r"misfit energies of the shape \(2, 4\)"),
        (np.ones(5), np.ones(5), np.ones(5), 300.0, r"misfit energies of the shape \(5,\)"),
        (np.ones(5), np.full(5, np.nan), np.ones((2, 5)), 300.0, "not finite"),
        (np.ones(5), np.ones(5), np.ones((2, 5)), 0.0, "temperature of 0.0 K"),
    ],
)
def test_arrays_that_do_not_belong_together_are_refused(
    observable: FloatArray, reference: FloatArray, members: FloatArray, kelvin: float, said: str
) -> None:
    with pytest.raises(DataError, match=said):
        trajectory_average(observable, reference, {"misfit": members}, temperature_k=kelvin)

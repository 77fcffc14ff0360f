"""Mean squared displacements and diffusion against random walks."""

import numpy as np
import pytest
from made_trajectories import NVE, made, ornstein_uhlenbeck, random_walk

from adiabat.errors import DataError, PropertyUnavailable
from adiabat.properties.observables import Ensemble, mean_squared_displacement
from adiabat.properties.observables.diffusion import finite_size, windowed_msd


def test_the_windowed_mean_is_that_of_all_pairs_of_frames() -> None:
    positions = np.random.default_rng(0).normal(size=(12, 3, 3)).cumsum(axis=0) + 1e3
    found = windowed_msd(positions)
    for lag in range(12):
        away = positions[lag:] - positions[: 12 - lag]
        assert found[lag] == pytest.approx((away**2).sum(-1).mean(), abs=1e-8)


def test_random_walks_have_their_coefficient_within_error_bars_that_are_honest() -> None:
    scaled = []
    for seed in range(60):
        one = mean_squared_displacement(random_walk(800, 20, diffusion=1e-3, seed=seed)).species["Ar"]
        # The motion of the centre of mass is taken off, which leaves 1 - 1/N of it.
        scaled.append((one.diffusion_cm2_per_s - 1e-4 * (1 - 1 / 20)) / one.diffusion_cm2_per_s_std)
        assert one.diffusive
    assert abs(np.mean(scaled)) < 0.4
    assert 0.55 < np.std(scaled) < 1.1  # enlarged by 48 %, as of eight blocks
    assert np.abs(scaled).max() < 4


def test_what_remembers_its_velocity_diffuses_by_the_integral_of_its_correlation() -> None:
    _, positions = ornstein_uhlenbeck(8000, 40, variance=1e-4, time_fs=10.0)
    one = mean_squared_displacement(made(positions)).species["Ar"]
    integral = 1e-4 * (0.5 + 1 / (np.exp(0.1) - 1))  # of the sum over steps of 1 fs
    assert one.diffusion_cm2_per_s == pytest.approx(0.1 * integral * 39 / 40, abs=3 * one.diffusion_cm2_per_s_std)
    assert one.diffusion_cm2_per_s_std < 0.1 * one.diffusion_cm2_per_s


def test_atoms_that_stay_where_they_are_do_not_diffuse() -> None:
    crystal = made(0.1 * np.random.default_rng(1).normal(size=(400, 20, 3)))
    one = mean_squared_displacement(crystal).species["Ar"]
    assert not one.diffusive
    assert one.reason.startswith("no more than three standard errors")


def test_a_slope_that_changes_is_called_so() -> None:
    time = np.arange(800.0)[:, None, None]
    directions = np.random.default_rng(0).normal(size=(1, 50, 3))
    one = mean_squared_displacement(made(0.01 * time * directions)).species["Ar"]
    assert not one.diffusive
    assert "the slope changes" in one.reason


def test_species_are_told_apart() -> None:
    fast, slow = random_walk(800, 20, diffusion=1e-3), random_walk(800, 20, diffusion=1e-5, seed=1)
    both = made(np.concatenate([fast.positions, slow.positions], axis=1), numbers=[18] * 20 + [36] * 20)
    found = mean_squared_displacement(both).species
    assert found["Ar"].diffusion_cm2_per_s > 20 * found["Kr"].diffusion_cm2_per_s


@pytest.mark.parametrize(
    ("ensemble", "said"),
    [
        (Ensemble("nvt", thermostat="langevin", temperature_k=300.0), "pushed each atom"),
        (Ensemble("nvt", thermostat="csvr", coupling_fs=100.0), "100 fs"),
        (Ensemble("nvt", thermostat="csvr"), "not stated"),
        (Ensemble("npt", thermostat="csvr", coupling_fs=1e4), "barostat"),
        (Ensemble(), "nothing says"),
    ],
)
def test_a_thermostat_that_makes_part_of_the_motion_is_refused(ensemble: Ensemble, said: str) -> None:
    walk = random_walk(200, 3, diffusion=1e-3)
    with pytest.raises(PropertyUnavailable, match=said):
        mean_squared_displacement(made(walk.positions, ensemble=ensemble))


def test_a_weak_thermostat_that_scales_all_velocities_is_not() -> None:
    walk = random_walk(200, 3, diffusion=1e-3)
    weak = Ensemble("nvt", thermostat="csvr", temperature_k=300.0, coupling_fs=2000.0)
    assert mean_squared_displacement(made(walk.positions, ensemble=weak)).blocks == 8


def test_too_few_frames_are_refused() -> None:
    with pytest.raises(DataError, match="128 frames or more"):
        mean_squared_displacement(random_walk(100, 3, diffusion=1e-3))


def test_the_correction_for_images_is_that_of_the_paper() -> None:
    """In SI units: ξ k_B T / (6 π η L), with 0.31 mPa s and a box of 31.1 Å, as of TIP3P water there."""
    found = finite_size(31.1 * np.eye(3), 298.0, 0.31, 0.031)
    assert found.correction_cm2_per_s == pytest.approx(
        2.837297 * 1.380649e-23 * 298 / (6 * np.pi * 0.31e-3 * 31.1e-10) * 1e4
    )
    assert found.correction_cm2_per_s_std == pytest.approx(0.1 * found.correction_cm2_per_s)


def test_another_cell_than_a_cubic_one_has_no_correction() -> None:
    with pytest.raises(PropertyUnavailable, match="cubic"):
        finite_size(np.diag([20.0, 20.0, 30.0]), 300.0, 1.0)
    walk = random_walk(200, 3, diffusion=1e-3)
    assert mean_squared_displacement(made(walk.positions, ensemble=NVE)).finite_size is None

"""Spectra of velocities against closed forms."""

import numpy as np
import pytest
from made_trajectories import made, ornstein_uhlenbeck

from adiabat.errors import DataError, PropertyUnavailable
from adiabat.properties.observables import Ensemble, Trajectory, vibrations
from adiabat.typing import FloatArray


def oscillators(frequencies_thz: FloatArray, *, frames: int = 8000, interval_fs: float = 2.0) -> FloatArray:
    """(T, N, 3) velocities of √m-weighted amplitude 1, with phases at random."""
    phases = np.random.default_rng(0).uniform(0, 2 * np.pi, (len(frequencies_thz), 3))
    times = interval_fs * np.arange(frames)
    return np.cos(2 * np.pi * frequencies_thz[:, None] * 1e-3 * times[:, None, None] + phases)


def moving(velocities: FloatArray, *, numbers: list[int] | None = None, interval_fs: float = 2.0) -> Trajectory:
    return made(np.zeros_like(velocities), velocities=velocities, numbers=numbers, interval_fs=interval_fs)


def test_an_oscillator_is_found_at_its_frequency_with_all_of_its_modes() -> None:
    found = vibrations(moving(oscillators(np.full(40, 12.5))))
    frequencies, density = found.frequencies_thz, found.total_per_thz
    assert frequencies[density.argmax()] == pytest.approx(12.5, abs=0.5 * frequencies[1])
    near = np.abs(frequencies - 12.5) < 3 * found.resolution_thz
    assert density[near].sum() * frequencies[1] == pytest.approx(120, rel=1e-3)
    assert density.sum() * frequencies[1] == pytest.approx(120)


def test_each_species_has_its_own_frequency_and_share() -> None:
    velocities = np.concatenate([oscillators(np.full(10, 5.0)), oscillators(np.full(30, 15.0))], axis=1)
    found = vibrations(moving(velocities, numbers=[18] * 10 + [36] * 30))
    width = found.frequencies_thz[1]
    for symbol, frequency, modes in (("Ar", 5.0, 30), ("Kr", 15.0, 90)):
        one = found.species[symbol]
        assert found.frequencies_thz[one.density_per_thz.argmax()] == pytest.approx(frequency, abs=width)
        assert one.density_per_thz.sum() * width == pytest.approx(modes, rel=0.05)
    assert found.species["Ar"].density_per_thz + found.species["Kr"].density_per_thz == pytest.approx(
        found.total_per_thz
    )


def test_the_correlation_of_an_ornstein_uhlenbeck_process_decays_and_its_spectrum_is_a_lorentzian() -> None:
    velocities, _ = ornstein_uhlenbeck(20000, 30, variance=1.0, time_fs=20.0)
    found = vibrations(moving(velocities, interval_fs=1.0))
    one = found.species["Ar"]
    chosen = slice(1, 60)
    expected = np.exp(-found.lags_fs[chosen] / 20)
    scaled = (one.correlation[chosen] - expected) / one.correlation_std[chosen]
    assert np.abs(scaled).max() < 4
    low = (found.frequencies_thz > 1) & (found.frequencies_thz < 20)
    ratio = found.total_per_thz[low] * (1 + (2 * np.pi * found.frequencies_thz[low] * 0.02) ** 2)
    errors = found.total_per_thz_std[low] * (ratio / found.total_per_thz[low])
    deviations = (ratio - ratio.mean()) / errors
    assert np.abs(deviations).max() < 4
    assert 0.4 < deviations.std() < 1.1


def test_the_drift_of_the_whole_is_no_vibration() -> None:
    still = vibrations(moving(oscillators(np.full(40, 12.5))))
    drifting = vibrations(moving(oscillators(np.full(40, 12.5)) + 5.0))
    assert drifting.total_per_thz == pytest.approx(still.total_per_thz, abs=1e-9)


def test_vibrations_that_are_too_fast_for_the_frames_are_called_so() -> None:
    found = vibrations(moving(oscillators(np.full(4, 245.0))))
    assert found.aliased_share > 0.9
    assert "write frames more often" in found.sentences()[1]
    assert len(vibrations(moving(oscillators(np.full(4, 10.0)))).sentences()) == 1


def test_what_no_spectrum_can_be_taken_from_is_refused() -> None:
    velocities = oscillators(np.full(2, 10.0), frames=600)
    with pytest.raises(PropertyUnavailable, match="no velocities"):
        vibrations(made(velocities))
    with pytest.raises(PropertyUnavailable, match="pushed each atom"):
        vibrations(made(velocities, velocities=velocities, ensemble=Ensemble("nvt", thermostat="langevin")))
    with pytest.raises(DataError, match="512 frames or more"):
        vibrations(moving(velocities[:500]))

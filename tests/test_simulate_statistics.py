"""What averages over a run say: error bars against closed forms, ensembles against theory."""

from dataclasses import replace
from math import sqrt
from pathlib import Path

import numpy as np
import pytest
from analytic_models import rare_gas_potential
from ase import Atoms
from ase.build import bulk
from scipy import stats

from adiabat.simulate import SimulationConfig, SimulationSummary, read_log, simulate
from adiabat.simulate.live import Speed
from adiabat.simulate.statistics import slope, standard_error
from adiabat.units import BOLTZMANN_EV_PER_K


def correlated(correlation: float, length: int, seed: int) -> np.ndarray:
    """x_{i+1} = ρ x_i + noise, variance 1: the standard error of its mean is sqrt((1 + ρ) / (1 - ρ) / n)."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=length)
    series = np.empty(length)
    series[0] = noise[0]
    for i in range(1, length):
        series[i] = correlation * series[i - 1] + sqrt(1 - correlation**2) * noise[i]
    return series


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.95])
def test_the_standard_error_of_a_correlated_series_is_that_of_theory(correlation: float) -> None:
    length = 4000
    found = [standard_error(correlated(correlation, length, seed)) for seed in range(10)]
    expected = sqrt((1 + correlation) / (1 - correlation) / length)
    assert np.mean(found) == pytest.approx(expected, rel=0.15)


def test_means_lie_within_their_standard_errors_as_often_as_they_should() -> None:
    series = [correlated(0.8, 1000, seed) for seed in range(200)]
    scaled = [one.mean() / standard_error(one) for one in series]
    assert 0.60 < np.mean(np.abs(scaled) < 1) < 0.76
    assert 0.90 < np.mean(np.abs(scaled) < 2) <= 0.99


@pytest.mark.parametrize("series", [[], [1.0], correlated(0.99, 40, 0)])
def test_a_series_that_is_too_short_has_no_error_bar(series: np.ndarray) -> None:
    assert standard_error(np.array(series)) is None


def test_a_constant_has_the_error_bar_zero() -> None:
    assert standard_error(np.full(100, 3.0)) == 0.0


def test_the_slope_of_a_line_with_correlated_noise_has_an_honest_error_bar() -> None:
    times = np.arange(1000) * 0.01
    scaled = []
    for seed in range(100):
        value, error = slope(times, 2.5 * times + correlated(0.7, 1000, seed))
        scaled.append((value - 2.5) / error)
    assert 0.8 < np.std(scaled) < 1.25
    assert slope(times[:2], times[:2]) is None


def test_speed_is_what_a_stop_watch_says() -> None:
    speed = Speed(steps=1000, seconds=10.0, timestep_fs=2.0, atoms=50)
    assert speed.ns_per_day == pytest.approx(2e-3 * 8640)  # 2 ps in 10 s
    assert speed.us_per_atom_per_step == pytest.approx(200.0)


def test_a_summary_rounds_to_its_error_bars() -> None:
    known = {"atoms": 4, "steps": 10, "finished": True, "time_ps": 0.01, "ns_per_day": 1.0, "us_per_atom_per_step": 2.0}
    full = SimulationSummary(
        **known,
        mean_temperature_k=1503.23,
        mean_temperature_k_std=19.6,
        drift_mev_per_atom_per_ps=0.00038541,
        drift_mev_per_atom_per_ps_std=0.00031,
    )
    assert "1503 ± 20 K" in full.lines()[1]
    assert "0.00039 ± 0.00031 meV" in full.lines()[2]
    short = replace(full, mean_temperature_k_std=None, drift_mev_per_atom_per_ps=None, ns_per_day=None)
    assert short.lines()[0] == "10 steps, 0.01 ps of 4 atoms"
    assert "1503 (error not known: too short) K" in short.lines()[1]
    assert "not known (too short)" in short.lines()[2]


def liquid(folder: Path, ensemble: str, **changes: object) -> SimulationSummary:
    values = {"ensemble": ensemble, "steps": 1500, "timestep_fs": 5.0, "output": {"log_every": 5}}
    atoms = bulk("Ar", "fcc", a=5.6, cubic=True) * (2, 2, 2)
    config = SimulationConfig.parse(values | changes)
    return simulate(atoms, rare_gas_potential(), config, folder=folder, quiet=True)


def test_nvt_keeps_its_temperature_within_three_standard_errors(tmp_path: Path) -> None:
    summary = liquid(tmp_path / "run", "nvt", temperature_k=120.0, friction_per_fs=0.01)
    assert summary.mean_temperature_k_std is not None
    assert abs(summary.mean_temperature_k - 120.0) < 3 * summary.mean_temperature_k_std
    assert summary.mean_temperature_k_std < 5.0
    assert summary.drift_mev_per_atom_per_ps_std is not None
    assert abs(summary.drift_mev_per_atom_per_ps or 1.0) < 0.01


def test_the_temperatures_of_nvt_spread_as_those_of_3n_degrees_of_freedom(tmp_path: Path) -> None:
    """f T / T₀ is distributed as χ² with f = 3n."""
    atoms = Atoms("Ar4", positions=[[0, 0, 0], [3.9, 0, 0], [0, 3.9, 0], [0, 0, 3.9]], cell=[8, 8, 8], pbc=True)
    values = {"ensemble": "nvt", "steps": 2000, "timestep_fs": 5.0, "temperature_k": 100.0, "friction_per_fs": 0.1}
    config = SimulationConfig.parse(values | {"output": {"log_every": 15, "trajectory_every": 3000}})
    simulate(atoms, rare_gas_potential(), config, folder=tmp_path / "run", quiet=True)
    temperature = read_log(tmp_path / "run/thermo.csv")["temperature_k"][10:]
    assert stats.kstest(12 * temperature / 100.0, stats.chi2(12).cdf).pvalue > 0.01


def test_nve_does_not_drift_and_its_error_falls_with_the_square_of_the_time_step(tmp_path: Path) -> None:
    spread = {}
    for timestep_fs, steps in ((10.0, 300), (5.0, 600)):
        folder = tmp_path / f"{timestep_fs}"
        summary = liquid(folder, "nve", timestep_fs=timestep_fs, steps=steps, temperature_k=60.0)
        log = read_log(folder / "thermo.csv")
        spread[timestep_fs] = np.std(log["conserved_energy_ev"][log["time_fs"] > 500])
        assert summary.drift_mev_per_atom_per_ps is not None
        assert abs(summary.drift_mev_per_atom_per_ps) < 0.01
    assert 2.5 < spread[10.0] / spread[5.0] < 6.0


def test_nve_shares_the_energy_that_it_starts_with(tmp_path: Path) -> None:
    """From the perfect crystal, half of the kinetic energy becomes potential energy (equipartition of a harmonic solid)."""
    summary = liquid(tmp_path / "run", "nve", steps=800, timestep_fs=8.0, temperature_k=20.0)
    first = read_log(tmp_path / "run/thermo.csv")["temperature_k"][0]
    assert summary.mean_temperature_k == pytest.approx(first / 2, rel=0.12)


def test_a_gas_has_the_pressure_of_an_ideal_one(tmp_path: Path) -> None:
    """Atoms out of each other's reach: P V = 2/3 K, and K = 3/2 N k_B T."""
    atoms = Atoms("Ar2", positions=[[0, 0, 0], [50, 0, 0]], cell=[100, 100, 100], pbc=True)
    config = SimulationConfig(ensemble="nvt", steps=20, timestep_fs=1.0, temperature_k=300.0)
    simulate(atoms, rare_gas_potential(), config, folder=tmp_path / "run", quiet=True)
    log = read_log(tmp_path / "run/thermo.csv")
    expected_gpa = 2 * BOLTZMANN_EV_PER_K * log["temperature_k"] / 1e6 * 160.2176634
    np.testing.assert_allclose(log["pressure_gpa"], expected_gpa, rtol=1e-9)

"""What averages over a run say: error bars against closed forms, ensembles against theory."""

from dataclasses import replace
from math import exp, sqrt
from pathlib import Path

import numpy as np
import pytest
import torch
from analytic_models import rare_gas_potential
from ase import Atoms
from ase.build import bulk
from scipy import stats
from scipy.signal import lfilter

from adiabat.simulate import (
    Evaluator,
    LangevinBAOAB,
    SimulationConfig,
    SimulationSummary,
    Streams,
    maxwell_boltzmann,
    read_log,
    simulate,
)
from adiabat.simulate.drift import slope
from adiabat.simulate.live import Speed
from adiabat.simulate.statistics import standard_error
from adiabat.system import Batch
from adiabat.testing.oscillators import AnharmonicChains, HarmonicWells
from adiabat.typing import FloatArray
from adiabat.units import BOLTZMANN_EV_PER_K


def exponential(times: float, *, run_length: float, seeds: int) -> FloatArray:
    """(seeds, n) series of variance 1 with the correlation exp(-k / times) k values apart, over so many correlation times."""
    decay, rng = exp(-1 / times), np.random.default_rng(0)
    noise = rng.normal(size=(seeds, round(run_length * times)))
    noise[:, 1:] *= sqrt(1 - decay**2)
    return np.asarray(lfilter([1.0], [1.0, -decay], noise, axis=1))


def error_of_exponential(times: float, length: int) -> float:
    """The standard deviation of the mean of such a series."""
    lags = np.arange(1, length)
    return sqrt((1 + 2 * np.sum((1 - lags / length) * np.exp(-lags / times))) / length)


@pytest.mark.parametrize("times", [1.0, 10.0])
@pytest.mark.parametrize("run_length", [3, 10, 30, 100, 300])
def test_a_mean_lies_within_three_of_its_errors_or_the_run_is_called_too_short(times: float, run_length: int) -> None:
    series = exponential(times, run_length=run_length, seeds=1500)
    errors = [standard_error(one) for one in series]
    wrong = [error is not None and abs(one.mean()) > 3 * error for one, error in zip(series, errors, strict=True)]
    assert np.mean(wrong) <= 0.01


@pytest.mark.parametrize("times", [1.0, 10.0])
def test_an_error_bar_is_there_from_a_hundred_correlation_times_on_and_not_at_ten(times: float) -> None:
    for run_length, fewest, most in ((3, 0.0, 0.01), (10, 0.0, 0.02), (100, 0.85, 1.0), (300, 0.98, 1.0)):
        errors = [standard_error(one) for one in exponential(times, run_length=run_length, seeds=500)]
        assert fewest <= np.mean([error is not None for error in errors]) <= most


@pytest.mark.parametrize("times", [0.1, 1.0, 10.0])
def test_error_bars_of_long_runs_are_those_of_theory_and_their_own_uncertainty(times: float) -> None:
    """Enlarged by 18 %, so that means lie within one and two of them as often as known errors would have them, and oftener."""
    series = exponential(times, run_length=400 * max(1, 1 / times), seeds=1000)
    pairs = [(one.mean(), error) for one in series if (error := standard_error(one)) is not None]
    means, errors = np.array(pairs).T
    expected = error_of_exponential(times, series.shape[1])
    assert 1.10 < errors.mean() / expected < 1.25
    assert 0.68 < np.mean(np.abs(means) < errors) < 0.80
    assert 0.95 < np.mean(np.abs(means) < 2 * errors) < 0.99


def test_a_slow_part_of_the_fluctuations_counts_though_most_of_them_are_fast() -> None:
    """A tenth of the variance is correlated over 20 values: it makes most of the error, and is hardly seen at one glance."""
    slow = exponential(20.0, run_length=100, seeds=500)
    series = sqrt(0.1) * slow + sqrt(0.9) * np.random.default_rng(1).normal(size=slow.shape)
    pairs = [(one.mean(), error) for one in series if (error := standard_error(one)) is not None]
    means, errors = np.array(pairs).T
    assert len(pairs) > 400
    assert np.mean(np.abs(means) > 3 * errors) <= 0.01
    expected = sqrt(0.1 * error_of_exponential(20.0, 2000) ** 2 + 0.9 / 2000)
    assert 1.0 < errors.mean() / expected < 1.5


@pytest.mark.parametrize("values", [0, 1, 2, 48])
def test_few_values_have_no_error_bar(values: int) -> None:
    assert standard_error(np.random.default_rng(0).normal(size=values)) is None


def test_a_constant_has_the_error_bar_zero() -> None:
    assert standard_error(np.full(100, 3.0)) == 0.0


def scaled_slopes(series: FloatArray) -> FloatArray:
    """Of lines with such noise: (slope - true slope) / error."""
    times = np.arange(series.shape[1], dtype=np.float64) / 100
    found = [slope(times, 2.5 * times + one) for one in series]
    return np.array([(one[0] - 2.5) / one[1] for one in found if one is not None and one[1] is not None])


@pytest.mark.parametrize("run_length", [0.3, 3, 10, 30, 100, 300])
def test_the_slope_of_a_line_with_correlated_noise_has_an_honest_error_bar(run_length: float) -> None:
    """Where the correlation is longer than the run it is Brownian motion; where it lasts a twentieth, the error is fourfold."""
    scaled = scaled_slopes(exponential(200 / run_length, run_length=run_length, seeds=1000))
    assert len(scaled) == 1000
    assert np.mean(np.abs(scaled) > 3) <= 0.01
    assert 0.15 < np.std(scaled) < 1.0


@pytest.mark.parametrize(("fluctuating", "beyond", "widest"), [(0.0, 0.02, 1.25), (0.1, 0.02, 1.25), (1.0, 0.05, 1.5)])
def test_the_slope_of_a_line_that_wanders_has_an_honest_error_bar(
    fluctuating: float, beyond: float, widest: float
) -> None:
    """Relative to how far it wanders in all; what wanders no further than it fluctuates is hardly seen."""
    rng, length = np.random.default_rng(0), 400
    wandering = rng.normal(size=(1000, length)).cumsum(axis=1)
    scaled = scaled_slopes(wandering + fluctuating * sqrt(length) * rng.normal(size=(1000, length)))
    assert np.mean(np.abs(scaled) > 3) <= beyond
    assert 0.8 < np.std(scaled) < widest


def test_a_line_through_two_points_has_no_slope_to_speak_of_and_a_short_one_no_error_bar() -> None:
    times = np.arange(400, dtype=np.float64) / 100
    assert slope(times[:2], times[:2]) is None
    found = slope(times[:48], np.random.default_rng(0).normal(size=48))
    assert found is not None
    assert found[1] is None


def test_a_line_without_noise_has_the_error_bar_zero() -> None:
    assert slope(np.arange(100.0), np.full(100, 3.0)) == (0.0, 0.0)


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


REPLICAS, MASS_AMU = 40, 12.0


def temperatures(potential: Evaluator, positions: torch.Tensor, integrator: LangevinBAOAB, *, fs: float) -> np.ndarray:
    """(REPLICAS, n) K, every other step, of replicas of one structure that have settled for 1 ps."""
    atoms = [Atoms(f"C{len(positions)}", positions.numpy())] * REPLICAS
    batch = Batch.from_atoms(atoms)
    streams, masses = Streams(0, tuple(range(REPLICAS))), torch.full((batch.n_atoms,), MASS_AMU, dtype=torch.float64)
    velocities = maxwell_boltzmann(batch, masses, streams, temperature_k=integrator.temperature_k, at_rest=False)
    state = integrator.init(batch, potential, velocities=velocities, masses=masses, streams=streams)
    found = []
    while state.step * integrator.timestep_fs < 1000 + fs:
        state = integrator.step(state, potential)
        if state.step * integrator.timestep_fs > 1000 and state.step % 2 == 0:
            found.append(integrator.measured_temperature_k(state).numpy())
    return np.array(found).T


@pytest.mark.parametrize("kind", ["wells", "chains"])
def test_langevin_dynamics_keep_their_temperature_within_three_errors_however_short_they_are(kind: str) -> None:
    """Runs of 3 to 100 correlation times, 1 / (2γ), of systems that spread their energy in different ways."""
    friction_per_fs, timestep_fs = 0.01, 4.0
    integrator = LangevinBAOAB(timestep_fs, 600.0, friction_per_fs)
    chain = AnharmonicChains()
    if kind == "wells":
        positions = torch.zeros(3, 3, dtype=torch.float64)
        potential = HarmonicWells(5.0, positions.repeat(REPLICAS, 1))
    else:
        positions, potential = chain.start(5), chain
    series = temperatures(potential, positions, integrator, fs=10_000.0)
    for run_length in (3, 10, 30, 100):
        values = round(run_length / (2 * friction_per_fs) / (2 * timestep_fs))
        runs = series[:, : series.shape[1] // values * values].reshape(-1, values)
        error = integrator.mean_temperature_std_k(
            runs[0], interval_fs=2 * timestep_fs, settled_fs=1000.0, degrees_of_freedom=3 * len(positions)
        )
        assert error is not None
        off = (runs.mean(1) - 600.0) / error
        assert np.sum(np.abs(off) > 3) <= max(1, 0.01 * len(off))  # one of the few long runs may, by chance
        shortest = 0.55 if run_length == 3 else 0.75
        assert (0.85 if run_length == 100 else shortest) < np.sqrt(np.mean(off**2)) < 1.15


def error_of_nvt(**changes: float) -> float | None:
    values = {"temperature_k": 1500.0, "friction_per_fs": 0.01, "values": 50, "interval_fs": 10.0, "settled_fs": 500.0}
    asked = values | {"atoms": 128} | changes
    integrator = LangevinBAOAB(1.0, asked["temperature_k"], asked["friction_per_fs"])
    return integrator.mean_temperature_std_k(
        np.full(int(asked["values"]), asked["temperature_k"]),
        interval_fs=asked["interval_fs"],
        settled_fs=asked["settled_fs"],
        degrees_of_freedom=3 * int(asked["atoms"]),
    )


def test_the_error_of_the_thermostats_temperature_has_its_closed_forms() -> None:
    at_once = 1500.0 * sqrt(2 / 384)
    assert error_of_nvt(values=100_000, interval_fs=1.0) == pytest.approx(at_once / sqrt(0.01 * 100_000), rel=0.01)
    assert error_of_nvt(values=10, interval_fs=1e5) == pytest.approx(at_once / sqrt(10))
    assert error_of_nvt(temperature_k=0.0) == 0.0
    assert error_of_nvt() == pytest.approx(1500.0 * sqrt(2 / (384 * 0.01 * 500.0)), rel=0.03)


def test_before_the_start_is_forgotten_the_mean_temperature_has_no_error_bar() -> None:
    assert error_of_nvt(settled_fs=150.0, values=15) is None
    assert error_of_nvt(friction_per_fs=1e-4) is None
    assert error_of_nvt(settled_fs=400.0) is not None
    assert error_of_nvt(settled_fs=400.0, atoms=100_000) is None, (
        "the error is smaller, what is left of the start is not"
    )
    assert error_of_nvt(settled_fs=900.0, atoms=100_000) is not None


def test_a_short_run_says_that_its_error_is_not_known(tmp_path: Path) -> None:
    summary = liquid(tmp_path / "nvt", "nvt", temperature_k=120.0, friction_per_fs=0.01, steps=50)
    assert summary.mean_temperature_k_std is None
    assert "too short" in summary.lines()[1]
    assert liquid(tmp_path / "nve", "nve", temperature_k=60.0, steps=50).mean_temperature_k_std is None


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

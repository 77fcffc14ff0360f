"""Averages, heat capacity and expansion against ensembles in closed form."""

from dataclasses import replace

import numpy as np
import pytest
from made_trajectories import made

from adiabat.errors import PropertyUnavailable
from adiabat.properties.observables import Ensemble, Trajectory, averages, heat_capacity, thermal_expansion
from adiabat.units import BOLTZMANN_EV_PER_K, GPA_PER_EV_PER_CUBIC_ANGSTROM

ATOMS, KELVIN = 20, 300.0
THERMAL = BOLTZMANN_EV_PER_K * KELVIN
NVT = Ensemble("nvt", thermostat="langevin", temperature_k=KELVIN)
NPT = Ensemble("npt", thermostat="csvr", temperature_k=KELVIN, pressure_gpa=0.1)


def harmonic(frames: int, *, seed: int = 0, ensemble: Ensemble = NVT) -> Trajectory:
    """3N oscillators in the canonical ensemble: potential and kinetic energy are gamma distributed."""
    rng = np.random.default_rng(seed)
    trajectory = made(np.zeros((frames, ATOMS, 3)), box=10.0, ensemble=ensemble)
    kinetic = THERMAL * rng.gamma(1.5 * ATOMS, size=frames)
    temperature = 2 * kinetic / (3 * ATOMS * BOLTZMANN_EV_PER_K)
    log = {
        "time_fs": trajectory.times_fs,
        "temperature_k": temperature,
        "kinetic_energy_ev": kinetic,
        "potential_energy_ev": 5.0 + THERMAL * rng.gamma(1.5 * ATOMS, size=frames),
        "pressure_gpa": (ATOMS * BOLTZMANN_EV_PER_K * temperature / 1000.0 + 0.002) * GPA_PER_EV_PER_CUBIC_ANGSTROM,
    }
    return replace(trajectory, log=log)


def test_a_harmonic_crystal_has_three_boltzmann_constants_with_honest_error_bars() -> None:
    scaled = []
    for seed in range(60):
        found = heat_capacity(harmonic(1000, seed=seed))
        if found.heat_capacity_kb_per_atom_std is not None:  # of one in a hundred it looks too short
            scaled.append((found.heat_capacity_kb_per_atom - 3.0) / found.heat_capacity_kb_per_atom_std)
    assert len(scaled) > 55
    assert abs(np.mean(scaled)) < 0.5
    assert 0.6 < np.std(scaled) < 1.2
    assert found.kinetic_kb_per_atom == 1.5
    assert found.heat_capacity_j_per_mol_k == pytest.approx(8.314462618 * found.heat_capacity_kb_per_atom)


@pytest.mark.parametrize("kind", ["nve", "npt", "unknown"])
def test_a_heat_capacity_is_that_of_the_canonical_ensemble_alone(kind: str) -> None:
    other = replace(NVT, kind=kind)
    with pytest.raises(PropertyUnavailable, match=f"the trajectory is {kind}"):
        heat_capacity(harmonic(100, ensemble=other))


def test_a_ramp_has_no_heat_capacity() -> None:
    with pytest.raises(PropertyUnavailable, match="was not constant"):
        heat_capacity(harmonic(100, ensemble=replace(NVT, temperature_k=None)))


def test_of_too_short_a_run_the_error_bar_is_not_known() -> None:
    found = heat_capacity(harmonic(48))
    assert found.heat_capacity_kb_per_atom_std is None
    assert "error bar not known" in found.sentences()[0]


def test_averages_have_their_errors_and_both_pressures() -> None:
    found = averages(harmonic(2000))
    assert found.temperature_k_std is not None
    assert found.temperature_k == pytest.approx(KELVIN, abs=4 * found.temperature_k_std)
    assert found.temperature_k_std == pytest.approx(KELVIN * np.sqrt(2 / 60 / 2000), rel=0.5)
    assert found.potential_pressure_gpa == pytest.approx(0.002 * GPA_PER_EV_PER_CUBIC_ANGSTROM)
    ideal = 20 * THERMAL / 1000 * GPA_PER_EV_PER_CUBIC_ANGSTROM
    assert found.pressure_gpa == pytest.approx(ideal + 0.002 * GPA_PER_EV_PER_CUBIC_ANGSTROM, rel=0.02)
    assert found.volume_cubic_angstrom_per_atom == pytest.approx(50.0)
    assert found.volume_cubic_angstrom_per_atom_std == 0.0
    assert found.density_g_per_cm3 == pytest.approx(40 * 1.66053906660 / 50)
    assert "with the kinetic term" in found.sentences()[1]


def test_without_a_log_there_are_no_averages() -> None:
    with pytest.raises(PropertyUnavailable, match="no thermodynamic log"):
        averages(made(np.zeros((3, 2, 3))))


def ideal_gas_at_constant_pressure(frames: int, *, seed: int = 0) -> Trajectory:
    """Volumes V^N exp(-PV/kT): gamma distributed; no potential energy."""
    pressure = 0.1 / GPA_PER_EV_PER_CUBIC_ANGSTROM
    volumes = THERMAL / pressure * np.random.default_rng(seed).gamma(ATOMS + 1, size=frames)
    trajectory = made(np.zeros((frames, ATOMS, 3)), ensemble=NPT)
    cells = np.cbrt(volumes)[:, None, None] * np.eye(3)
    return replace(trajectory, cells=cells, energies_ev=np.zeros(frames))


def test_an_ideal_gas_expands_by_one_over_its_temperature_with_honest_error_bars() -> None:
    scaled = []
    for seed in range(60):
        found = thermal_expansion(ideal_gas_at_constant_pressure(1000, seed=seed))
        if found.volume_expansion_per_k_std is not None:
            scaled.append((found.volume_expansion_per_k - 1 / KELVIN) / found.volume_expansion_per_k_std)
    assert len(scaled) > 55
    assert abs(np.mean(scaled)) < 0.5
    assert 0.6 < np.std(scaled) < 1.2
    assert found.linear_expansion_per_k == pytest.approx(found.volume_expansion_per_k / 3)
    assert found.bulk_modulus_gpa_std is not None
    assert found.bulk_modulus_gpa == pytest.approx(0.1, abs=4 * found.bulk_modulus_gpa_std)
    assert found.heat_capacity_kb_per_atom_std is not None
    expected = 1.5 - 1.5 / ATOMS + (ATOMS + 1) / ATOMS  # var(PV) is (N + 1) (kT)²
    assert found.heat_capacity_kb_per_atom == pytest.approx(expected, abs=4 * found.heat_capacity_kb_per_atom_std)


def test_expansion_is_that_of_constant_pressure_alone() -> None:
    with pytest.raises(PropertyUnavailable, match="the trajectory is nvt"):
        thermal_expansion(harmonic(100))

"""Radial distribution functions against closed forms."""

import numpy as np
import pytest
from ase.build import bulk
from made_trajectories import ideal_gas, made

from adiabat.errors import ConfigurationError, PropertyUnavailable
from adiabat.properties.observables import Trajectory, radial_distribution


def scaled(values: np.ndarray, errors: np.ndarray, expected: float) -> np.ndarray:
    known = np.isfinite(errors) & (errors > 0)
    return (values[known] - expected) / errors[known]


def test_an_ideal_gas_has_one_less_its_own_share_everywhere_with_honest_error_bars() -> None:
    found = radial_distribution(ideal_gas(400, 30), quiet=True).pairs["Ar-Ar"]
    inner = slice(20, None)  # nearer there are too few pairs for their number to be normal
    deviations = scaled(found.values[inner], found.values_std[inner], 1 - 1 / 30)
    assert len(deviations) > 170
    assert np.abs(deviations).max() < 4
    assert 0.65 < deviations.std() < 1.05  # error bars are enlarged by a seventh


def test_unlike_atoms_of_an_ideal_gas_have_one() -> None:
    gas = ideal_gas(400, 30, numbers=[18] * 10 + [36] * 20)
    found = radial_distribution(gas, quiet=True).pairs
    assert list(found) == ["Ar-Ar", "Ar-Kr", "Kr-Kr"]
    for pair, expected in (("Ar-Ar", 0.9), ("Ar-Kr", 1.0), ("Kr-Kr", 0.95)):
        one = found[pair]
        assert abs(scaled(one.values, one.values_std, expected)[40:].mean()) < 0.3


def test_a_crystal_has_its_shells_at_their_distances_with_their_numbers() -> None:
    """Face-centred cubic: 12, 6, 24, 12 neighbours at √(n/2) lattice constants; beyond half of the cell they are images."""
    crystal = bulk("Ar", "fcc", a=5.26, cubic=True)
    frames = Trajectory.from_atoms([crystal] * 3, interval_fs=1.0)
    found = radial_distribution(frames, cutoff_angstrom=8.0, quiet=True)
    one = found.pairs["Ar-Ar"]
    shells = 5.26 * np.sqrt(np.arange(1, 5) / 2)
    held = np.flatnonzero(one.values > 0)
    assert np.abs(found.distances[held] - shells).max() < 0.025
    assert one.coordination[held] == pytest.approx([12, 18, 42, 54])


def test_densities_follow_a_cell_that_changes() -> None:
    gas = ideal_gas(300, 30)
    scale = np.linspace(0.8, 1.2, 300)[:, None, None]
    breathing = Trajectory(
        place="made",
        numbers=gas.numbers,
        masses=gas.masses,
        pbc=gas.pbc,
        times_fs=gas.times_fs,
        positions=gas.positions * scale,
        cells=gas.cells * scale,
    )
    found = radial_distribution(breathing, quiet=True)
    assert found.edges_angstrom[-1] <= 8.0
    assert found.pairs["Ar-Ar"].values[20:].mean() == pytest.approx(1 - 1 / 30, abs=0.01)


def test_what_has_no_density_has_no_distribution() -> None:
    open_gas = made(np.zeros((3, 2, 3)))
    open_gas.pbc[:] = False
    with pytest.raises(PropertyUnavailable, match="periodic along"):
        radial_distribution(open_gas)


def test_a_cutoff_without_a_bin_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="bins of"):
        radial_distribution(ideal_gas(3, 4), cutoff_angstrom=0.1, bin_angstrom=0.5)

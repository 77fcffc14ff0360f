"""Angular distributions and structure factors against closed forms."""

import numpy as np
import pytest
from ase.build import bulk
from made_trajectories import ideal_gas, made

from adiabat.errors import ConfigurationError, PropertyUnavailable
from adiabat.properties.observables import Trajectory, angular_distribution, structure_factor


def test_angles_of_an_ideal_gas_go_as_their_sine_with_honest_error_bars() -> None:
    found = angular_distribution(ideal_gas(150, 60, box=10.0), cutoff_angstrom=3.0, quiet=True)
    one = found.triples["Ar-Ar-Ar"]
    middles = 0.5 * (found.edges_degrees[1:] + found.edges_degrees[:-1])
    expected = 0.5 * np.sin(np.radians(middles)) * np.pi / 180
    known = np.isfinite(one.values_per_degree_std)
    scaled = ((one.values_per_degree - expected) / one.values_per_degree_std)[known]
    assert known.sum() > 80
    assert np.abs(scaled[5:-5]).max() < 4
    assert one.values_per_degree.sum() * 2 == pytest.approx(1)
    assert one.mean_degrees == pytest.approx(90, abs=1)
    neighbours = 59 * 4 / 3 * np.pi * 27 / 1000
    assert one.angles_per_atom == pytest.approx(neighbours**2 / 2 * 58 / 59, rel=0.05)


def test_silicon_has_the_angle_of_the_tetrahedron() -> None:
    frames = Trajectory.from_atoms([bulk("Si", "diamond", a=5.43, cubic=True)] * 2, interval_fs=1.0)
    found = angular_distribution(frames, cutoff_angstrom=2.6, quiet=True)
    one = found.triples["Si-Si-Si"]
    assert (
        found.edges_degrees[one.values_per_degree.argmax()]
        <= 109.47
        < found.edges_degrees[one.values_per_degree.argmax() + 1]
    )
    assert one.angles_per_atom == 6


def test_triples_have_their_centre_in_the_middle() -> None:
    """Caesium chloride: eight neighbours of the other species, none of its own within reach."""
    frames = Trajectory.from_atoms([bulk("CsCl", "cesiumchloride", a=4.12)] * 2, interval_fs=1.0)
    found = angular_distribution(frames, cutoff_angstrom=3.8, quiet=True)
    assert {name: one.angles_per_atom for name, one in found.triples.items()} == {"Cl-Cs-Cl": 28, "Cs-Cl-Cs": 28}
    assert found.cutoffs_angstrom == {"Cl-Cl": 3.8, "Cl-Cs": 3.8, "Cs-Cs": 3.8}


def test_neighbours_end_at_the_first_minimum_where_there_is_one() -> None:
    crystal = bulk("Si", "diamond", a=5.43, cubic=True) * (2, 2, 2)
    frames = []
    for seed in range(4):
        frames.append(crystal.copy())
        frames[-1].rattle(0.1, seed=seed)
    found = angular_distribution(Trajectory.from_atoms(frames, interval_fs=1.0), quiet=True)
    assert 2.5 < found.cutoffs_angstrom["Si-Si"] < 3.5
    assert found.triples["Si-Si-Si"].angles_per_atom == pytest.approx(6)
    with pytest.raises(PropertyUnavailable, match="no first minimum"):
        angular_distribution(made(np.array([[[0.0, 0, 0], [9.0, 0, 0]]] * 2)), quiet=True)


def test_the_structure_factor_of_an_ideal_gas_is_one_and_of_unlike_atoms_zero() -> None:
    gas = ideal_gas(300, 30, box=10.0, numbers=[18] * 10 + [36] * 20)
    found = structure_factor(gas, largest_per_angstrom=3.0, quiet=True)
    assert found.total == pytest.approx(1, abs=0.1)
    for pair, expected in (("Ar-Ar", 1.0), ("Ar-Kr", 0.0), ("Kr-Kr", 1.0)):
        errors = found.pairs_std[pair]
        known = np.isfinite(errors)
        assert np.abs((found.pairs[pair] - expected) / errors)[known].max() < 4


def test_a_crystal_scatters_at_its_reciprocal_lattice_alone() -> None:
    """Face-centred cubic: (111) and (200), all indices odd or all even."""
    crystal = bulk("Ar", "fcc", a=5.0, cubic=True) * (2, 2, 2)
    found = structure_factor(
        Trajectory.from_atoms([crystal] * 2, interval_fs=1.0), largest_per_angstrom=2.6, quiet=True
    )
    unit = 2 * np.pi / 5.0
    numbers = found.wave_numbers_per_angstrom
    at_111 = np.abs(numbers - np.sqrt(3) * unit).argmin()
    assert numbers[at_111] == pytest.approx(np.sqrt(3) * unit)
    assert found.total[at_111] == pytest.approx(32)
    assert found.total[numbers < 1.6 * unit] == pytest.approx(0, abs=1e-9)


def test_wave_vectors_that_are_too_short_for_the_cell_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="no wave vector"):
        structure_factor(ideal_gas(2, 2), largest_per_angstrom=0.1)

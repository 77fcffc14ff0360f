"""Phonons through phonopy, against lattice sums and closed forms."""

from math import exp, log, sqrt

import numpy as np
import pytest
from analytic_models import PairModel, rare_gas_potential
from ase import Atoms
from ase.build import bulk
from ase.units import _amu, _e
from keating_model import keating_potential, keating_silicon
from test_properties import shells

from adiabat.errors import StructureError
from adiabat.potential import FromASE, Potential
from adiabat.properties import relaxed_crystal, zone_centre_phonons
from adiabat.properties.measured import Measured
from adiabat.properties.phonons import Phonons, PhononSetup, phonons
from adiabat.properties.phonons.primitive import primitive_cell
from adiabat.properties.phonons.thermal import thermodynamics
from adiabat.properties.phonons.views import path_words, phonon_figures, phonon_sentences, phonon_tables
from adiabat.results import Line

NEAR = PairModel(epsilon_ev={18: 0.5}, sigma={18: 3.40}, cutoff=6.2)
"""Stiff argon, to its second neighbours."""
BOLTZMANN, PLANCK = 8.617333262e-5, 4.135667696e-3
MASS = 39.948
THZ = sqrt(_e * 1e20 / _amu) / (2e12 * np.pi)
"""Of 1 eV/Å²/amu."""


@pytest.fixture(scope="module")
def argon() -> Phonons:
    potential = Potential([NEAR])
    rest = relaxed_crystal(bulk("Ar", a=5.3), potential)
    return phonons(rest, potential, setup=PhononSetup.of(rest, potential, repeats=(5, 5, 5)))


def of_springs(edge: float, wave: np.ndarray) -> np.ndarray:
    """(3,) THz by the sum over pairs, at a Cartesian wave vector without 2π."""
    vectors, step = shells(NEAR.cutoff, edge), 1e-4
    dynamical = np.zeros((3, 3))
    for vector in vectors:
        r = float(np.linalg.norm(vector))
        lower, middle, upper = (NEAR.pair_energy(r + d, 18, 18) for d in (-step, 0.0, step))
        second, first = (upper - 2 * middle + lower) / step**2, (upper - lower) / (2 * step)
        along = np.outer(vector, vector) / r**2
        constants = second * along + first / r * (np.eye(3) - along)
        dynamical += constants * (1 - np.cos(2 * np.pi * vector @ wave)) / MASS
    squares = np.linalg.eigvalsh(dynamical)
    return np.sign(squares) * np.sqrt(np.abs(squares)) * THZ


def test_the_dispersion_of_a_pair_potential_is_its_lattice_sum(argon: Phonons) -> None:
    rest = relaxed_crystal(bulk("Ar", a=5.3), Potential([NEAR]))
    edge, reciprocal = sqrt(2) * rest.cell.lengths()[0], np.linalg.inv(rest.cell.array).T
    for place in range(0, len(argon.path_points), 7):
        expected = of_springs(edge, argon.path_points[place] @ reciprocal)
        np.testing.assert_allclose(argon.frequencies_thz[place], expected, atol=2e-3)


def test_the_path_is_that_of_the_symmetry_and_its_lengths_are_cartesian(argon: Phonons) -> None:
    assert path_words(argon.path) == "Γ - X - U, K - Γ - L - W - X"
    edge = sqrt(2) * relaxed_crystal(bulk("Ar", a=5.3), Potential([NEAR])).cell.lengths()[0]
    assert argon.path_per_angstrom[argon.path_per_angstrom > 0].min() < 0.011
    first = argon.path_points[: np.flatnonzero(np.diff(argon.path_per_angstrom) == 0)[0] + 1]
    assert argon.path_per_angstrom[len(first) - 1] == pytest.approx(1 / edge, rel=1e-3)  # Γ to X


def test_at_special_points_transverse_branches_are_degenerate(argon: Phonons) -> None:
    places = {label: values for label, values in zip(argon.special_points, argon.special_frequencies_thz, strict=True)}

    assert places["Γ"] == pytest.approx([0, 0, 0], abs=1e-4)
    for label in ("X", "L"):
        assert places[label][0] == pytest.approx(places[label][1], rel=1e-6)
        assert places[label][2] > 1.1 * places[label][1]


def test_sound_from_the_dispersion_is_sound_from_the_stiffness(argon: Phonons) -> None:
    assert argon.exact is False
    np.testing.assert_allclose(argon.sound_speeds_m_per_s, argon.elastic_sound_speeds_m_per_s, rtol=2e-3)


def test_the_density_of_states_holds_all_modes(argon: Phonons) -> None:
    assert np.trapezoid(argon.density_of_states_per_thz, argon.dos_frequencies_thz) == pytest.approx(3, rel=5e-3)


def test_the_cubic_cell_of_diamond_has_the_phonons_of_its_primitive_cell() -> None:
    potential = keating_potential()
    found = phonons(relaxed_crystal(bulk("Si", cubic=True, a=5.4), potential), potential)
    at_centre = found.special_frequencies_thz[found.special_points.index("Γ")]
    optical = sqrt(keating_silicon().optical_constant() / 28.085) * THZ

    assert found.formula == "Si2"
    assert at_centre[3:] == pytest.approx([optical] * 3, rel=1e-3)
    assert at_centre[3:] == pytest.approx(zone_centre_phonons(bulk("Si", a=5.431), potential).frequencies_thz, rel=1e-4)


def test_a_member_with_another_lattice_constant_shares_the_setup() -> None:
    first, second = Potential([NEAR]), Potential([PairModel(epsilon_ev={18: 0.6}, sigma={18: 3.45}, cutoff=6.2)])
    rest, other = (relaxed_crystal(bulk("Ar", a=5.3), potential) for potential in (first, second))
    setup = PhononSetup.of(rest, first)
    shared = phonons(other, second, setup=setup)
    alone = phonons(other, second, setup=PhononSetup.of(other, second, repeats=setup.repeats))

    np.testing.assert_allclose(shared.special_frequencies_thz, alone.special_frequencies_thz, atol=2e-3)
    np.testing.assert_allclose(shared.sound_speeds_m_per_s, alone.sound_speeds_m_per_s, rtol=1e-3)


def test_an_unstable_crystal_has_its_modes_named_and_no_thermodynamics() -> None:
    potential = rare_gas_potential()
    found = phonons(relaxed_crystal(bulk("Ar", "bcc", a=4.2), potential), potential)

    assert not found.stable
    assert found.lowest_frequency_thz < -0.1
    assert any(words.startswith("N: ") for words in found.imaginary_modes)
    assert found.imaginary_modes[-1].startswith("lowest: ")
    assert found.heat_capacity_kb_per_atom is None
    assert any("IMAGINARY MODES at N" in words for words in phonon_sentences(found))


def test_too_small_a_supercell_is_refused_with_one_that_will_do() -> None:
    potential = Potential([NEAR])
    rest = relaxed_crystal(bulk("Ar", a=5.3), potential)
    with pytest.raises(StructureError) as caught:
        PhononSetup.of(rest, potential, repeats=(3, 3, 3))

    assert "neighbours in common below 12.4" in str(caught.value)
    assert "take 5 x 5 x 5" in str(caught.value)
    assert PhononSetup.of(rest, potential).repeats == (5, 5, 5)


def test_a_supercell_for_a_reach_that_is_not_known_is_large() -> None:
    from ase.calculators.emt import EMT

    setup = PhononSetup.of(bulk("Cu"), FromASE(EMT()))

    assert setup.images.min() >= 12.0
    assert not setup.exact


def test_what_has_forces_or_no_crystal_is_refused() -> None:
    moved = bulk("Si", a=5.431)
    moved.positions[0] += 0.05
    with pytest.raises(StructureError, match="a force of"):
        phonons(moved, keating_potential())
    with pytest.raises(StructureError, match="periodic"):
        PhononSetup.of(Atoms("Ar", positions=[[0, 0, 0]]), Potential([NEAR]))


def test_masses_are_kept_in_the_primitive_cell() -> None:
    heavy = bulk("Si", cubic=True)
    heavy.arrays["masses"] = np.full(8, 30.0)

    assert primitive_cell(heavy).get_masses() == pytest.approx([30.0] * 2)
    assert primitive_cell(bulk("Si")) == bulk("Si")


def test_one_oscillator_has_einsteins_thermodynamics() -> None:
    frequency, temperature = 5.0, 300.0
    x = PLANCK * frequency / (BOLTZMANN * temperature)
    found = thermodynamics(np.array([[frequency]]), np.array([1.0]), np.array([0.0, temperature]))

    assert found.zero_point_ev == pytest.approx(PLANCK * frequency / 2)
    assert found.free_energy_ev == pytest.approx(
        [PLANCK * frequency / 2, PLANCK * frequency / 2 + BOLTZMANN * temperature * log(1 - exp(-x))]
    )
    assert found.heat_capacity == pytest.approx([0, x**2 * exp(x) / (exp(x) - 1) ** 2])
    assert found.entropy[1] == pytest.approx(x / (exp(x) - 1) - log(1 - exp(-x)))


def test_hot_crystals_obey_dulong_and_petit(argon: Phonons) -> None:
    assert argon.heat_capacity_kb_per_atom is not None
    assert argon.entropy_kb_per_atom is not None
    assert argon.vibrational_free_energy_ev_per_atom is not None
    assert argon.heat_capacity_kb_per_atom[-1] == pytest.approx(3, rel=1e-2)
    slope = -np.gradient(argon.vibrational_free_energy_ev_per_atom, argon.temperatures_k) / BOLTZMANN
    np.testing.assert_allclose(slope[10:-1], argon.entropy_kb_per_atom[10:-1], rtol=1e-2)


def test_pictures_and_tables_show_every_branch(argon: Phonons) -> None:
    found = Measured(argon, None, "no error bars")
    dispersion, density, capacity = phonon_figures(found)
    branches = [mark for mark in dispersion.marks if isinstance(mark, Line) and not mark.dashed]

    assert len(branches) == 3
    assert "Γ - X - U, K - Γ - L" in dispersion.note
    assert density.name == "density-of-states"
    assert capacity.name == "heat-capacity"
    assert len(phonon_tables(found)[1].rows) == 9

"""The stiffness of crystals, against closed forms."""

from math import sqrt

import numpy as np
import pytest
from analytic_models import argon_and_krypton, rare_gas_potential
from ase import Atoms
from ase.build import bulk
from ase.units import _amu
from keating_model import keating_potential, keating_silicon

from adiabat.errors import SimulationError, StructureError
from adiabat.potential import Potential
from adiabat.properties import cubic_elasticity, elasticity, relaxed_crystal
from adiabat.properties.elasticity import Ions, young_figure
from adiabat.properties.stiffness import moduli, sound_speeds, to_matrix, to_tensor, young_modulus
from adiabat.results import Line
from adiabat.testing.structures import random_rotation, transformed

GPA = 160.2176634
ISOTROPIC = (
    80 * np.diag([1.0, 1, 1, 0, 0, 0]) + np.pad(np.full((3, 3), 40.0), (0, 3)) + 40 * np.diag([0.0, 0, 0, 1, 1, 1])
)
"""λ = 40, μ = 40."""


def cubic(c11: float, c12: float, c44: float) -> np.ndarray:
    matrix = np.diag([c11 - c12] * 3 + [c44] * 3)
    matrix[:3, :3] += c12
    return matrix


@pytest.mark.parametrize("ions", ["response", "relaxation"])
def test_diamonds_stiffness_is_keatings_whichever_way_ions_follow(ions: Ions) -> None:
    found = elasticity(relaxed_crystal(bulk("Si", a=5.4), keating_potential()), keating_potential(), ions=ions)
    c11, c12, c44 = (GPA * value for value in keating_silicon().elastic_constants())

    np.testing.assert_allclose(found.stiffness_gpa, cubic(c11, c12, c44), rtol=1e-3, atol=1e-3)
    assert found.stiffness_clamped_gpa[3, 3] > 1.2 * c44
    assert found.ions == ions
    assert found.stable


def test_a_turned_crystal_has_the_turned_tensor() -> None:
    rotation = random_rotation(np.random.default_rng(1))
    rest = relaxed_crystal(bulk("Si", a=5.4), keating_potential())
    upright = elasticity(rest, keating_potential())
    turned = elasticity(transformed(rest, rotation), keating_potential())
    expected = np.einsum("abcd,ai,bj,ck,dl->ijkl", to_tensor(upright.stiffness_gpa), *[rotation] * 4)

    np.testing.assert_allclose(turned.stiffness_gpa, to_matrix(expected), atol=2e-2)
    assert turned.bulk_modulus_gpa == pytest.approx(upright.bulk_modulus_gpa, rel=1e-5)
    assert turned.eigenvalues_gpa == pytest.approx(upright.eigenvalues_gpa, rel=1e-4)


@pytest.mark.parametrize("pressure", [0.0, 2.0])
def test_central_forces_obey_cauchys_relation_at_any_pressure(pressure: float) -> None:
    # Of central forces C12 = C44 in energies; waves see B12 - B44 = 2p (T. H. K. Barron, M. L. Klein, Proc. Phys. Soc. 85, 523 (1965)).
    potential = Potential([argon_and_krypton()])
    rest = relaxed_crystal(bulk("Ar", a=5.2), potential, pressure_gpa=pressure)
    found = elasticity(rest, potential, pressure_gpa=pressure)

    assert found.stiffness_gpa[0, 1] - found.stiffness_gpa[3, 3] == pytest.approx(2 * pressure, abs=2e-3)


def test_it_agrees_with_what_is_made_for_cubic_crystals() -> None:
    potential = rare_gas_potential()
    found = elasticity(relaxed_crystal(bulk("Ar", a=5.2), potential), potential)
    other = cubic_elasticity(bulk("Ar", cubic=True, a=5.2), potential)

    np.testing.assert_allclose(
        found.stiffness_gpa, cubic(other.c11_gpa, other.c12_gpa, other.c44_gpa), rtol=1e-3, atol=1e-5
    )


def test_a_hexagonal_crystal_has_five_constants() -> None:
    potential = rare_gas_potential()
    c = elasticity(relaxed_crystal(bulk("Ar", "hcp", a=3.75), potential), potential).stiffness_gpa

    assert c[0, 0] == pytest.approx(c[1, 1])
    assert c[3, 3] == pytest.approx(c[4, 4])
    assert c[5, 5] == pytest.approx((c[0, 0] - c[0, 1]) / 2)
    assert c[0, 2] == pytest.approx(c[1, 2])
    assert np.abs(c[:3, 3:]).max() < 1e-9


def test_an_isotropic_body_has_one_young_modulus_and_no_anisotropy() -> None:
    lame, shear = 40.0, 40.0
    average = moduli(ISOTROPIC)
    directions = np.random.default_rng(0).normal(size=(20, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    young = shear * (3 * lame + 2 * shear) / (lame + shear)

    assert (average.bulk_voigt, average.bulk_reuss) == pytest.approx((lame + 2 * shear / 3,) * 2)
    assert (average.shear_voigt, average.shear_reuss) == pytest.approx((shear,) * 2)
    assert average.young_hill == pytest.approx(young)
    assert average.poisson_hill == pytest.approx(lame / (2 * (lame + shear)))
    assert average.anisotropy == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(young_modulus(ISOTROPIC, directions), young)


def test_young_modulus_of_silicon_by_direction_is_that_of_the_literature() -> None:
    # C of silicon and E along 100, 110, 111: M. A. Hopcroft et al., J. MEMS 19, 229 (2010).
    directions = np.array([[1, 0, 0], [1, 1, 0], [1, 1, 1]]) / np.sqrt([[1], [2], [3]])

    np.testing.assert_allclose(young_modulus(cubic(165.7, 63.9, 79.6), directions), [130, 169, 188], atol=0.6)


def test_sound_along_110_of_a_cubic_crystal() -> None:
    # C. Kittel, Introduction to Solid State Physics, chapter 3: ρv² = C44, (C11 - C12)/2, (C11 + C12 + 2 C44)/2.
    speeds, polarisations = sound_speeds(cubic(168.0, 121.0, 75.0), 2.0, np.array([[1, 1, 0]]) / sqrt(2))

    assert speeds[0] == pytest.approx([sqrt(23.5 / 2), sqrt(75 / 2), sqrt(219.5 / 2)])
    assert np.abs(polarisations[0, :, 1]) == pytest.approx([0, 0, 1], abs=1e-9)


def test_sound_along_an_axis_has_units() -> None:
    found = elasticity(relaxed_crystal(bulk("Si", a=5.4), keating_potential()), keating_potential())
    density = 8 * 28.085 * _amu / (5.431e-10) ** 3
    c11, _, c44 = (GPA * 1e9 * value for value in keating_silicon().elastic_constants())

    assert found.density_kg_per_m3 == pytest.approx(density, rel=1e-4)
    assert found.sound_speeds_m_per_s[0] == pytest.approx([sqrt(c44 / density)] * 2 + [sqrt(c11 / density)], rel=1e-3)


def test_a_body_centred_crystal_of_central_forces_is_unstable() -> None:
    potential = rare_gas_potential()
    found = elasticity(relaxed_crystal(bulk("Ar", "bcc", a=4.2), potential), potential)

    assert not found.stable
    assert found.eigenvalues_gpa[0] < 0
    assert sound_speeds(found.stiffness_gpa, 1.0, np.array([[1, 1, 0]]) / sqrt(2))[0].min() < 0


def test_what_is_not_at_rest_is_refused_by_force_and_by_stress() -> None:
    pressed, moved = bulk("Ar", a=5.0), bulk("Si", a=5.431)
    moved.positions[0] += 0.05

    with pytest.raises(StructureError, match="a stress of"):
        elasticity(pressed, rare_gas_potential())
    with pytest.raises(StructureError, match="a force of"):
        elasticity(moved, keating_potential())


def test_ions_on_a_saddle_cannot_follow() -> None:
    simple = Atoms("Ar2", scaled_positions=[[0, 0, 0], [0, 0, 0.5]], cell=[3.5, 3.5, 7.0], pbc=True)
    potential = rare_gas_potential()

    with pytest.raises(SimulationError, match="has the stiffness"):
        elasticity(relaxed_crystal(simple, potential), potential)


def test_the_picture_holds_the_moduli_as_distances() -> None:
    found = elasticity(relaxed_crystal(bulk("Si", a=5.4), keating_potential()), keating_potential())
    first = young_figure(found).marks[0]

    assert isinstance(first, Line)
    np.testing.assert_allclose(np.hypot(first.x, first.y)[:-1], found.young_modulus_by_angle_gpa[0])
    assert first.x[0] == pytest.approx(float(young_modulus(found.stiffness_gpa, np.array([[1.0, 0, 0]]))[0]))

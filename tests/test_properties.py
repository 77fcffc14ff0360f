"""Properties of crystals, against models whose properties are known in closed form."""

from collections.abc import Callable
from math import pi, sqrt

import numpy as np
import pytest
from analytic_models import PairModel, argon_and_krypton, rare_gas_potential
from ase import Atoms
from ase.build import bulk, fcc100, fcc111
from ase.units import _amu, _e
from keating_model import keating_potential, keating_silicon
from scipy.optimize import brent

from adiabat.errors import SimulationError, StructureError
from adiabat.potential import Potential
from adiabat.properties import (
    cubic_elasticity,
    cubic_lattice,
    equation_of_state,
    relaxed,
    relaxed_cubic,
    surface,
    vacancy,
    zone_centre_phonons,
)
from adiabat.properties.arrays import evaluated
from adiabat.properties.cubic_elasticity import strained
from adiabat.properties.equation_of_state import birch_murnaghan, vinet, vinet_energy

GPA = 160.2176634
NEAREST_ONLY = PairModel(epsilon_ev={18: 0.5}, sigma={18: 3.40}, cutoff=5.0)
"""Stiff argon that sees its nearest neighbours alone: at rest all bonds are at their minimum, defects or not."""


def shells(cutoff: float, edge: float) -> np.ndarray:
    """(n, 3) Å: vectors to the neighbours in an fcc crystal."""
    reach = range(-int(2 * cutoff / edge) - 1, int(2 * cutoff / edge) + 2)
    grid = np.array([(x, y, z) for x in reach for y in reach for z in reach if (x + y + z) % 2 == 0]) * edge / 2
    length = np.linalg.norm(grid, axis=1)
    return grid[(length > 0) & (length < cutoff)]


def lattice_energy(model: PairModel, edge: float) -> float:
    return 0.5 * sum(model.pair_energy(r, 18, 18) for r in np.linalg.norm(shells(model.cutoff, edge), axis=1))


def lowest(function: Callable[[float], float], around: tuple[float, float, float]) -> float:
    return np.asarray(brent(function, brack=around, tol=1e-10)).item()


def rest(model: PairModel) -> float:
    return lowest(lambda edge: lattice_energy(model, edge), (5.1, 5.3, 5.5))


def deepest(model: PairModel) -> tuple[float, float]:
    """Distance and depth of the pair's minimum."""
    distance = lowest(lambda r: model.pair_energy(r, 18, 18), (3.5, 3.8, 4.2))
    return distance, -model.pair_energy(distance, 18, 18)


def argon(edge: float = 5.3) -> Atoms:
    return bulk("Ar", cubic=True, a=edge)


def diamond(edge: float = 5.5) -> Atoms:
    return bulk("Si", cubic=True, a=edge)


def test_the_lattice_constant_is_where_the_lattice_sum_is_lowest() -> None:
    model = argon_and_krypton()
    found = cubic_lattice(argon(), Potential([model]))

    assert found.lattice_constant_angstrom == pytest.approx(rest(model), abs=1e-5)
    assert found.energy_ev_per_atom == pytest.approx(lattice_energy(model, rest(model)), abs=1e-10)


def test_elastic_constants_of_a_pair_potential_are_its_lattice_sums() -> None:
    model = argon_and_krypton()
    edge = rest(model)
    step = 1e-4
    vectors = shells(model.cutoff, edge)
    c11 = c12 = 0.0
    for x, y, z in vectors:
        r = sqrt(x * x + y * y + z * z)
        lower, middle, upper = (model.pair_energy(r + d, 18, 18) for d in (-step, 0.0, step))
        bond = (upper - 2 * middle + lower) / step**2 - (upper - lower) / (2 * step) / r
        c11 += bond * x**4 / r**2 / (2 * edge**3 / 4)
        c12 += bond * x**2 * y**2 / r**2 / (2 * edge**3 / 4)
    found = cubic_elasticity(argon(), Potential([model]))

    assert found.c11_gpa == pytest.approx(c11 * GPA, rel=1e-3)
    assert found.c12_gpa == pytest.approx(c12 * GPA, rel=1e-3)
    assert found.c44_gpa == pytest.approx(c12 * GPA, rel=1e-3)  # Cauchy's relation
    assert found.bulk_modulus_gpa == pytest.approx((c11 + 2 * c12) / 3 * GPA, rel=1e-3)


def test_elastic_constants_of_diamond_are_those_of_atoms_at_rest_under_the_strain() -> None:
    found = cubic_elasticity(diamond(), keating_potential())
    c11, c12, c44 = (value * GPA for value in keating_silicon().elastic_constants())

    assert found.c11_gpa == pytest.approx(c11, rel=1e-3)
    assert found.c12_gpa == pytest.approx(c12, rel=1e-3)
    assert found.c44_gpa == pytest.approx(c44, rel=1e-3)
    assert found.bulk_modulus_gpa == pytest.approx((c11 + 2 * c12) / 3, rel=1e-3)


def test_a_relaxation_softens_shear_as_linear_response_does() -> None:
    potential, strain = keating_potential(), 1e-3
    crystal = relaxed_cubic(diamond(), potential)
    sheared = [strained(crystal, sign * strain, 3) for sign in (1.0, -1.0)]
    at_rest = [relaxed(atoms, potential, force_tolerance_ev_per_angstrom=1e-6) for atoms in sheared]
    [stress] = evaluated(potential, at_rest, "stress")
    shear = stress[:, 1, 2]

    by_relaxation = (shear[0] - shear[1]) / (2 * strain) * GPA
    assert cubic_elasticity(diamond(), potential).c44_gpa == pytest.approx(by_relaxation, rel=1e-3)


def test_the_fit_of_an_equation_of_state_gives_back_what_made_it() -> None:
    volume, modulus, derivative = 20.4, 0.55, 4.3
    volumes = np.linspace(0.94, 1.06, 13) * volume
    eulerian = (volume / volumes) ** (2 / 3) - 1
    energies = -5.4 + 9 * volume * modulus / 16 * (eulerian**3 * derivative + eulerian**2 * (2 - 4 * eulerian))

    assert birch_murnaghan(volumes, energies) == pytest.approx((volume, modulus, derivative), rel=1e-6)


def test_the_equation_of_state_agrees_with_the_elastic_constants() -> None:
    found = equation_of_state(diamond(), keating_potential())
    c11, c12, _ = keating_silicon().elastic_constants()

    assert found.volume_cubic_angstrom_per_atom == pytest.approx(5.431**3 / 8, rel=1e-4)
    assert found.bulk_modulus_gpa == pytest.approx((c11 + 2 * c12) / 3 * GPA, rel=1e-2)  # of a finite range of volumes


def test_the_optical_frequency_of_diamond_is_keatings() -> None:
    potential = keating_potential()
    per_second = sqrt(keating_silicon().optical_constant() * _e * 1e20 / (28.085 * _amu))
    primitive = zone_centre_phonons(bulk("Si", a=5.431), potential).frequencies_thz
    cubic = zone_centre_phonons(relaxed_cubic(diamond(), potential), potential).frequencies_thz

    assert primitive == pytest.approx([per_second / (2 * pi) * 1e-12] * 3, rel=1e-3)
    assert len(cubic) == 21
    assert (cubic > 0.5).all()
    assert cubic[-3:] == pytest.approx(primitive, rel=1e-3)  # and those of X below


def test_an_unstable_mode_has_a_negative_frequency() -> None:
    pulled_apart = Atoms("Ar2", positions=[[0, 0, 0], [0, 0, 4.4]], cell=[30, 30, 30], pbc=True)

    assert zone_centre_phonons(pulled_apart, Potential([NEAREST_ONLY])).frequencies_thz.min() < -0.1


def test_a_vacancy_costs_the_bonds_that_it_breaks() -> None:
    _, depth = deepest(NEAREST_ONLY)

    assert vacancy(argon(), Potential([NEAREST_ONLY])).formation_energy_ev == pytest.approx(6 * depth, rel=1e-3)


@pytest.mark.parametrize(("build", "missing"), [(fcc111, 3), (fcc100, 4)])
def test_a_surface_costs_the_bonds_that_it_breaks(build: Callable[..., Atoms], missing: int) -> None:
    potential = Potential([NEAREST_ONLY])
    distance, depth = deepest(NEAREST_ONLY)
    crystal = relaxed_cubic(argon(), potential)
    slab = build("Ar", size=(1, 1, 6), a=float(crystal.cell.array[0, 0]), vacuum=8.0, periodic=True)
    area = distance**2 * (sqrt(3) / 2 if missing == 3 else 1)

    found = surface(slab, crystal, potential).surface_energy_j_per_m2
    assert found == pytest.approx(missing / 2 * depth / area * _e * 1e20, rel=1e-4)


def test_atoms_that_do_not_come_to_rest_are_an_error() -> None:
    crystal = argon(5.2).repeat(2)
    crystal.rattle(0.3, seed=1)

    with pytest.raises(SimulationError, match=r"after 1 steps"):
        relaxed(crystal, Potential([NEAREST_ONLY]), steps=1)


@pytest.mark.parametrize(
    ("crystal", "rule"),
    [
        (bulk("Ar", a=5.3), "three edges"),
        (Atoms("Ar", positions=[[0, 0, 0]]), "three edges"),
        (argon(8.0), "falls through zero"),
    ],
)
def test_what_is_no_cubic_crystal_near_rest_is_refused(crystal: Atoms, rule: str) -> None:
    with pytest.raises(StructureError) as caught:
        cubic_lattice(crystal, Potential([argon_and_krypton()]))
    assert rule in str(caught.value)


def test_a_displaced_crystal_is_refused() -> None:
    crystal = diamond(5.431)
    crystal.positions[0, 0] += 0.05

    with pytest.raises(StructureError, match="acts on an atom"):
        cubic_elasticity(crystal, keating_potential())


def test_vinets_fit_gives_back_what_made_it_and_birchs_is_near() -> None:
    volume, modulus, derivative = 20.4, 0.55, 4.3
    volumes = np.linspace(0.94, 1.06, 13) * volume
    energies = vinet_energy(volumes, -5.4, volume, modulus, derivative)
    step = 1e-3 * volume
    around = vinet_energy(volume + step * np.array([-1.0, 0.0, 1.0]), -5.4, volume, modulus, derivative)

    assert volume * (around[0] - 2 * around[1] + around[2]) / step**2 == pytest.approx(modulus, rel=1e-4)  # V E'' = B
    assert vinet(volumes, energies) == pytest.approx((volume, modulus, derivative), rel=1e-5)
    assert birch_murnaghan(volumes, energies) == pytest.approx((volume, modulus, derivative), rel=2e-2)


def test_the_shape_of_a_hexagonal_cell_is_at_rest_at_each_volume() -> None:
    found = equation_of_state(bulk("Ar", "hcp", a=3.75, c=6.3), Potential([argon_and_krypton()]))
    cubic = equation_of_state(argon(), Potential([argon_and_krypton()]))

    assert found.bulk_modulus_gpa == pytest.approx(cubic.bulk_modulus_gpa, rel=0.02)  # twelve neighbours in either
    assert found.pressures_gpa[0] > 0 > found.pressures_gpa[-1]
    slope = np.gradient(found.energies_ev_per_atom, found.relative_volumes * found.volume_cubic_angstrom_per_atom)
    assert found.pressures_gpa[1:-1] == pytest.approx(-slope[1:-1] * GPA, abs=0.01)


def test_an_equation_of_state_needs_volumes_on_either_side() -> None:
    with pytest.raises(StructureError, match=r"6 volumes from 1\.01"):
        equation_of_state(argon(), rare_gas_potential(), relative_volumes=np.linspace(1.01, 1.06, 6))

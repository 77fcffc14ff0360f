"""Exact Hessians and Newton's method."""

import numpy as np
import pytest
from analytic_models import rare_gas_potential
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from keating_model import keating_potential
from training_structures import cells, truth

from adiabat.potential import FromASE
from adiabat.potential.hessian import hessian, hessian_product
from adiabat.properties import zone_centre_phonons
from adiabat.properties.force_constants import force_constants
from adiabat.properties.newton import newton, trusted_step

GASES = "ArKr"


def rattled(*, seed: int = 0, by: float = 0.1) -> Atoms:
    atoms = bulk("Ar", cubic=True, a=5.3)
    atoms.numbers[0] = 36
    atoms.rattle(by, seed=seed)
    return atoms


def test_a_dimers_hessian_is_its_pairs_curvature() -> None:
    potential, distance, step = rare_gas_potential(), 3.9, 1e-4
    model = potential.parts[0]
    found = hessian(Atoms("Ar2", positions=[[0, 0, 0], [0, 0, distance]]), potential)
    lower, middle, upper = (model.pair_energy(distance + d, 18, 18) for d in (-step, 0.0, step))  # type: ignore[attr-defined]
    along, across = (upper - 2 * middle + lower) / step**2, (upper - lower) / (2 * step) / distance

    assert found[2, [2, 5]] == pytest.approx([along, -along], rel=1e-5)
    assert found[0, [0, 3]] == pytest.approx([across, -across], rel=1e-5)


def test_it_agrees_with_differences_of_compiled_forces() -> None:
    [atoms] = cells(1)
    exact = hessian(atoms, truth())

    np.testing.assert_allclose(exact, exact.T, atol=1e-10)
    np.testing.assert_allclose(exact.reshape(8, 3, 8, 3).sum(2), 0, atol=1e-9)  # all atoms moved alike feel nothing
    np.testing.assert_allclose(force_constants(atoms, truth()), exact, atol=2e-3 * np.abs(exact).max())


def test_products_with_directions_are_those_of_the_hessian() -> None:
    atoms = rattled()
    directions = np.random.default_rng(0).normal(size=(3, 4, 3))
    products = hessian_product(atoms, rare_gas_potential(), directions)
    expected = directions.reshape(3, -1) @ hessian(atoms, rare_gas_potential())

    np.testing.assert_allclose(products.reshape(3, -1), expected, atol=1e-5 * np.abs(expected).max())


def test_phonons_of_the_exact_hessian_are_those_of_displacements() -> None:
    atoms, potential = bulk("Si", a=5.431), keating_potential()
    found = np.linalg.eigvalsh(hessian(atoms, potential))[-3:]
    frequencies = zone_centre_phonons(atoms, potential).frequencies_thz

    assert np.ptp(found) < 1e-6 * found[0]
    assert found[0] / 28.085 == pytest.approx((2 * np.pi * frequencies[0] * 1e-3) ** 2 / 9.648533212331e-3, rel=1e-3)


def test_newtons_steps_are_quadratic_near_rest() -> None:
    found = newton(rattled(), rare_gas_potential())

    assert found.converged
    assert found.exact_hessian
    assert found.positive_definite
    assert len(found.energies_ev) < 10
    assert (np.diff(found.energies_ev) <= 1e-12).all()
    told = found.decrease_ratios[np.isfinite(found.decrease_ratios)]
    assert told[-1] == pytest.approx(1, abs=0.05)


def test_a_saddle_is_left_downhill_and_seen_by_its_curvature() -> None:
    pair = Atoms("Ar3", positions=[[0, 0, 0], [0.3, 0.1, 3.5], [0, 0, 7.9]])
    found = newton(pair, rare_gas_potential())

    assert found.lowest_curvatures_ev_per_square_angstrom[0] < 0
    assert found.energies_ev[-1] < found.energies_ev[0]


def test_what_cannot_be_differentiated_twice_is_relaxed_by_differences() -> None:
    atoms = bulk("Cu", cubic=True, a=3.6)
    atoms.rattle(0.05, seed=0)
    found = newton(atoms, FromASE(EMT()), force_tolerance_ev_per_angstrom=1e-4)

    assert found.converged
    assert not found.exact_hessian


def test_a_step_in_a_wide_region_of_trust_is_newtons_and_in_a_narrow_one_as_long_as_it() -> None:
    curvature, gradient = np.diag([1.0, 4.0, 9.0]), np.array([1.0, 2.0, 3.0])

    np.testing.assert_allclose(trusted_step(curvature, gradient, 10.0), [-1, -0.5, -1 / 3])
    short = trusted_step(curvature, gradient, 0.1)
    assert 0.02 < np.linalg.norm(short) <= 0.1
    downhill = trusted_step(np.diag([-1.0, 4.0, 9.0]), gradient, 0.3)
    assert downhill @ gradient < 0
    assert downhill[0] < 0

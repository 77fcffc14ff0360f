"""Compiled arithmetic of cells against the same written in NumPy and SciPy."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from adiabat.kernels import _core
from adiabat.kernels.cells import (
    Inside,
    cell_forces,
    deformations,
    exponentials,
    rescaling_strains,
    strain_heat,
    thicknesses,
    volumes,
)

SYSTEMS = 3
CLOSE: dict[str, Any] = {"rtol": 1e-11, "atol": 1e-12}
SEEDS = st.integers(0, 10**6)


def symmetric(rng: np.random.Generator, size: float = 1.0) -> np.ndarray:
    matrices = size * rng.normal(size=(SYSTEMS, 3, 3))
    return matrices + matrices.transpose(0, 2, 1)


def trace(matrices: np.ndarray) -> np.ndarray:
    return np.trace(matrices, axis1=1, axis2=2)


def third(matrices: np.ndarray) -> np.ndarray:
    return trace(matrices)[:, None, None] / 3


def random_inside(rng: np.random.Generator) -> Inside:
    moved = rng.normal(size=(SYSTEMS, 4, 3))
    return Inside(np.einsum("sna,snb->sab", moved, moved), symmetric(rng, 0.01), rng.uniform(50, 100, SYSTEMS))


@settings(deadline=None, max_examples=20, derandomize=True)
@given(seed=SEEDS)
def test_volumes_thicknesses_and_deformations_are_those_of_linear_algebra(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cells = rng.normal(size=(SYSTEMS, 3, 3))
    np.testing.assert_allclose(volumes(cells), np.abs(np.linalg.det(cells)), **CLOSE)
    inverse_lengths = np.linalg.norm(np.linalg.inv(cells), axis=1)
    np.testing.assert_allclose(thicknesses(cells, cells), (1 / inverse_lengths).min(1), rtol=1e-9)
    np.testing.assert_allclose(thicknesses(-cells, cells), -(1 / inverse_lengths).min(1), rtol=1e-9)
    strained = cells @ (np.eye(3) + 0.1 * rng.normal(size=(SYSTEMS, 3, 3)))
    found, change = deformations(cells, strained)
    np.testing.assert_allclose(found, np.linalg.solve(cells, strained), rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(change, np.linalg.norm(found - np.eye(3), axis=(1, 2)), rtol=1e-8)


def test_a_cell_without_a_volume_has_a_deformation_only_where_it_has_not_changed() -> None:
    slab = np.diag([3.0, 4.0, 0.0])
    found, change = deformations(np.array([slab, slab]), np.array([slab, 1.01 * slab]))
    np.testing.assert_array_equal(found[0], np.eye(3))
    assert change[0] == 0
    assert np.isnan(found[1]).all()
    assert np.isnan(change[1])


@settings(deadline=None, max_examples=20, derandomize=True)
@given(seed=SEEDS, size=st.sampled_from([0.0, 1e-9, 1e-4, 0.03, 1.0]))
def test_exponentials_are_those_of_scipy(seed: int, size: float) -> None:
    matrices = symmetric(np.random.default_rng(seed), size)
    found, mean = exponentials(matrices)
    np.testing.assert_allclose(found, [expm(one) for one in matrices], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(found - np.eye(3), matrices @ mean, rtol=1e-7, atol=1e-12)
    numbers = matrices[:, :1, :1].copy()
    found, mean = exponentials(numbers)
    np.testing.assert_allclose(found, np.exp(numbers), **CLOSE)
    np.testing.assert_allclose(mean * numbers, np.expm1(numbers), **CLOSE)


def test_equal_and_nearly_equal_eigenvalues_have_their_exponential() -> None:
    nearly = np.eye(3) + 1e-13 * np.array([[0, 1, 2], [1, 0, 3], [2, 3, 0]])
    found, mean = exponentials(np.array([np.eye(3), nearly]))
    np.testing.assert_allclose(found, np.e * np.array([np.eye(3)] * 2), atol=1e-11)
    np.testing.assert_allclose(mean, (np.e - 1) * np.array([np.eye(3)] * 2), atol=1e-11)


def test_strains_of_rescaling_are_those_of_its_equations() -> None:
    """Bernetti and Bussi (2020), of √V; Del Tatto et al. (2022), of the shape: written out in NumPy."""
    rng, beta, rate = np.random.default_rng(1), 0.02, 1 / 300
    inside, noise = random_inside(rng), rng.normal(size=(SYSTEMS, 7))
    pressure, thermal = np.array([0.01]), np.array([0.02, 0.03, 0.04])
    pressed = inside.kinetic - inside.volume[:, None, None] * inside.stress
    root = np.sqrt(inside.volume)
    excess = trace(pressed) / (3 * inside.volume) - pressure
    drift = 0.5 * beta * rate * root * (excess + thermal / (2 * inside.volume))
    sizes = 2 / 3 * np.log((root + drift + np.sqrt(thermal * beta * rate / 2) * noise[:, 0]) / root)
    isotropic = Inside(third(inside.kinetic), inside.stress, inside.volume)
    given: dict[str, Any] = {"pressure": pressure, "thermal": thermal, "compressibility": beta, "rate": rate}
    found = rescaling_strains(isotropic, noise=noise[:, :1].copy(), **given)
    np.testing.assert_allclose(found[:, 0, 0], sizes, **CLOSE)
    random = np.zeros((SYSTEMS, 3, 3))
    random[:, [0, 1, 2], [0, 1, 2]] = noise[:, 1:4]
    random[:, [0, 0, 1], [1, 2, 2]] = random[:, [1, 2, 2], [0, 0, 1]] = noise[:, 4:] / 2**0.5
    width = np.sqrt(2 * thermal * beta * rate / (3 * inside.volume))[:, None, None]
    shape = beta * rate / 3 * pressed / inside.volume[:, None, None] + width * random
    found = rescaling_strains(inside, noise=noise, **given)
    expected = shape + (sizes[:, None, None] - third(shape)) * np.eye(3)
    np.testing.assert_allclose(found, expected, **CLOSE)


def test_a_strain_from_what_is_no_number_is_none() -> None:
    inside = random_inside(np.random.default_rng(2))
    lost = Inside(inside.kinetic * np.nan, inside.stress, inside.volume)
    one = np.ones(1)
    found = rescaling_strains(
        lost, pressure=one, thermal=one, compressibility=1.0, rate=1.0, noise=np.zeros((SYSTEMS, 7))
    )
    assert np.isnan(found).any(axis=(1, 2)).all()


def test_heat_of_a_strain_is_the_change_of_kinetic_energy_and_the_work_against_the_mean_stress() -> None:
    rng = np.random.default_rng(3)
    before, after, strain = random_inside(rng), random_inside(rng), symmetric(rng, 0.02)
    shrink = exponentials(-strain)[0]
    gained = 0.5 * (trace(shrink @ before.kinetic @ shrink) - trace(before.kinetic))
    work = 0.5 * sum(one.volume * (strain * one.stress).sum((1, 2)) for one in (before, after))
    np.testing.assert_allclose(strain_heat(strain, shrink, before, after), gained + work, **CLOSE)
    number = third(strain)
    size = number * np.eye(3)
    isotropic = Inside(third(before.kinetic), before.stress, before.volume)
    found = strain_heat(number, np.exp(-number), isotropic, after)
    np.testing.assert_allclose(found, strain_heat(size, exponentials(-size)[0], before, after), **CLOSE)


def test_the_force_on_a_cell_is_that_of_martyna_tobias_and_klein() -> None:
    inside = random_inside(np.random.default_rng(4))
    pressure, degrees = np.array([0.01, 0.02, 0.03]), np.array([9.0, 21.0, 30.0])
    on_unit = trace(inside.kinetic) / degrees - pressure * inside.volume
    expected = inside.kinetic - inside.volume[:, None, None] * inside.stress + on_unit[:, None, None] * np.eye(3)
    np.testing.assert_allclose(cell_forces(inside, pressure=pressure, degrees=degrees), expected, **CLOSE)
    isotropic = Inside(third(inside.kinetic), inside.stress, inside.volume)
    np.testing.assert_allclose(cell_forces(isotropic, pressure=pressure, degrees=degrees), third(expected), **CLOSE)


def test_arrays_that_do_not_fit_are_refused() -> None:
    inside = random_inside(np.random.default_rng(5))
    with pytest.raises(ValueError, match="one value for all structures"):
        cell_forces(inside, pressure=np.zeros(2), degrees=np.ones(SYSTEMS))
    with pytest.raises(ValueError, match="same length"):
        _core.volumes(inside.stress, np.empty(2))
    with pytest.raises(ValueError, match="all full, or all multiples"):
        _core.exponentials(np.ones((2, 9)), np.empty((2, 1)), np.empty((2, 9)))
    with pytest.raises(ValueError, match="six more"):
        rescaling_strains(
            inside, pressure=np.ones(1), thermal=np.ones(1), compressibility=1.0, rate=1.0, noise=np.ones((SYSTEMS, 1))
        )

"""Couplings of harmonics to invariants."""

from collections import Counter
from itertools import combinations_with_replacement, product

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from sympy.physics.quantum.cg import CG

from adiabat.basis.angular import real_spherical_harmonics
from adiabat.basis.coupling import clebsch_gordan, independent_couplings, invariant_couplings

DEGREES = [(0,), (1, 1), (1, 1, 2), (1, 2, 3), (2, 2, 2), (1, 1, 1, 1), (1, 2, 3, 2), (2, 2, 2, 2), (3, 3, 2, 2)]


@pytest.mark.parametrize(("l1", "l2", "l3"), [(0, 2, 2), (1, 1, 1), (1, 2, 3), (2, 2, 3), (3, 2, 1)])
def test_clebsch_gordan_coefficients_are_sympys(l1: int, l2: int, l3: int) -> None:
    found = clebsch_gordan(l1, l2, l3)
    for m1, m2 in product(range(-l1, l1 + 1), range(-l2, l2 + 1)):
        for m3 in range(-l3, l3 + 1):
            expected = float(CG(l1, m1, l2, m2, l3, m3).doit())
            assert found[m1 + l1, m2 + l2, m3 + l3] == pytest.approx(expected, abs=1e-14)


def contracted(degrees: tuple[int, ...], vectors: np.ndarray) -> np.ndarray:
    """The invariants of one vector for each factor."""
    harmonics = real_spherical_harmonics(torch.from_numpy(vectors), max(degrees)).numpy()
    value = invariant_couplings(degrees)
    for factor, degree in enumerate(degrees):
        value = np.tensordot(value, harmonics[factor, degree**2 : (degree + 1) ** 2], axes=([1], [0]))
    return value


@pytest.mark.parametrize("degrees", DEGREES)
@pytest.mark.parametrize("handedness", [1.0, -1.0])
def test_coupled_products_do_not_change_under_rotation_and_reflection(degrees: tuple, handedness: float) -> None:
    vectors = np.random.default_rng(1).normal(size=(len(degrees), 3))
    vectors /= np.linalg.norm(vectors, axis=1)[:, None]
    rotation = handedness * Rotation.from_rotvec([0.3, -1.1, 0.7]).as_matrix()

    np.testing.assert_allclose(contracted(degrees, vectors @ rotation.T), contracted(degrees, vectors), atol=1e-13)


def multiplicity_of_the_scalar(weights: list[int]) -> int:
    """How often L = 0 is in a representation, from its weights: states with M = 0 less states with M = 1."""
    count = Counter(weights)
    return count[0] - count[1]


@pytest.mark.parametrize("degrees", DEGREES)
def test_distinct_factors_have_as_many_invariants_as_their_product_holds_scalars(degrees: tuple) -> None:
    weights = [sum(ms) for ms in product(*(range(-degree, degree + 1) for degree in degrees))]

    assert len(independent_couplings(degrees, tuple(range(len(degrees))))[1]) == multiplicity_of_the_scalar(weights)


@pytest.mark.parametrize(("degree", "factors"), [(1, 2), (2, 2), (2, 3), (1, 4), (2, 4), (3, 4), (4, 3), (4, 4)])
def test_identical_factors_have_as_many_as_their_symmetric_power_holds(degree: int, factors: int) -> None:
    weights = [sum(ms) for ms in combinations_with_replacement(range(-degree, degree + 1), factors)]

    found = independent_couplings((degree,) * factors, (0,) * factors)[1]

    assert len(found) == multiplicity_of_the_scalar(weights)


def test_an_odd_sum_of_degrees_has_no_invariant() -> None:
    assert len(independent_couplings((1, 1, 1), (0, 1, 2))[1]) == 0

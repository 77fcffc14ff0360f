"""Real spherical harmonics."""

import numpy as np
import pytest
import torch
from scipy.special import sph_harm_y

from adiabat.basis.angular import real_spherical_harmonics
from adiabat.basis.coupling import complex_from_real

L_MAX = 7


def directions(count: int, seed: int = 0) -> torch.Tensor:
    vectors = np.random.default_rng(seed).normal(size=(count, 3))
    return torch.from_numpy(vectors / np.linalg.norm(vectors, axis=1)[:, None])


@pytest.mark.parametrize("degree", range(L_MAX + 1))
def test_they_are_scipys_complex_harmonics_in_another_basis(degree: int) -> None:
    unit = directions(20)
    x, y, z = unit.numpy().T
    polar, azimuth = np.arccos(z), np.arctan2(y, x)
    expected = np.stack([sph_harm_y(degree, m, polar, azimuth) for m in range(-degree, degree + 1)], axis=1)

    found = real_spherical_harmonics(unit, L_MAX)[:, degree**2 : (degree + 1) ** 2].numpy()

    np.testing.assert_allclose(found @ complex_from_real(degree).T, expected, atol=1e-13)


def test_the_squares_of_a_degree_add_up_to_unsoelds_constant() -> None:
    harmonics = real_spherical_harmonics(directions(10), L_MAX)
    for degree in range(L_MAX + 1):
        total = harmonics[:, degree**2 : (degree + 1) ** 2].square().sum(1)
        np.testing.assert_allclose(total, (2 * degree + 1) / (4 * np.pi), rtol=1e-13)


def test_the_poles_are_no_singularity_of_values_or_derivatives() -> None:
    poles = torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]], dtype=torch.float64)

    assert torch.autograd.gradcheck(lambda v: real_spherical_harmonics(v, 4), poles.requires_grad_())


def test_a_degree_changes_sign_under_inversion_when_it_is_odd() -> None:
    unit = directions(5)
    parity = torch.tensor([(-1.0) ** degree for degree in range(L_MAX + 1) for _ in range(2 * degree + 1)])

    difference = real_spherical_harmonics(-unit, L_MAX) - parity * real_spherical_harmonics(unit, L_MAX)

    assert float(difference.abs().max()) < 1e-14

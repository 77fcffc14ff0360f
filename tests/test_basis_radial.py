"""Radial functions and their cutoffs."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from adiabat.basis.radial import inner_switch, simplified_bessel

CUTOFF = 5.0
Function = Callable[[torch.Tensor], torch.Tensor]


def test_they_are_orthonormal_in_the_sphere() -> None:
    nodes, weights = np.polynomial.legendre.leggauss(400)
    distance = torch.from_numpy((nodes + 1) * CUTOFF / 2)
    values = simplified_bessel(distance, 12, CUTOFF).numpy()

    overlap = values.T @ ((weights * CUTOFF / 2 * distance.numpy() ** 2)[:, None] * values)

    np.testing.assert_allclose(overlap, np.eye(12), atol=1e-12)


def derivatives(distance: float, orders: int = 3) -> list[np.ndarray]:
    """Values and derivatives, by automatic differentiation, of each function."""
    r = torch.tensor([distance], dtype=torch.float64)
    found, function = [], lambda x: simplified_bessel(x, 8, CUTOFF)[0]
    for _ in range(orders):
        found.append(function(r).numpy())
        function = _slope(function)
    return found


def _slope(function: Function) -> Function:
    return lambda x: torch.func.jvp(function, (x,), (torch.ones_like(x),))[1]


def test_value_slope_and_curvature_vanish_at_the_cutoff() -> None:
    value, slope, curvature = derivatives(CUTOFF - 1e-7)

    assert np.abs(value).max() < 1e-15
    assert np.abs(slope).max() < 1e-9
    assert np.abs(curvature).max() < 1e-3  # it falls with the third derivative, of order (8 π/5)³


def test_they_are_zero_beyond_the_cutoff() -> None:
    assert not simplified_bessel(torch.tensor([CUTOFF, CUTOFF + 1e-9, 9.0]), 5, CUTOFF).any()


def test_the_inner_switch_is_that_of_pace() -> None:
    """LAMMPS's pair_style pace, kind "distance": Lysogorskiy et al., npj Comput. Mater. 7, 97 (2021), and its source."""
    r_in, delta = 1.7, 0.4
    distance = torch.linspace(1.2, 1.8, 61, dtype=torch.float64)
    x = np.clip(1 - 2 * (1 + (distance.numpy() - r_in) / delta), -1, 1)
    descending = 0.5 + 7.5 / 2 * (x / 4 - x**3 / 6 + x**5 / 20)

    found = inner_switch(distance, distance.new_tensor(r_in), distance.new_tensor(delta))

    np.testing.assert_allclose(found, 1 - descending, atol=1e-14)


@pytest.mark.parametrize("end", [1.3, 1.7])
def test_the_inner_switch_has_no_kink_at_its_ends(end: float) -> None:
    def switch(x: torch.Tensor) -> torch.Tensor:
        return inner_switch(x, torch.tensor(1.7, dtype=x.dtype), torch.tensor(0.4, dtype=x.dtype))

    around = torch.tensor([end - 1e-6, end + 1e-6], dtype=torch.float64)
    first, second = _slope(switch), _slope(_slope(switch))

    assert float(first(around).abs().max()) < 1e-9
    assert float(second(around).abs().max()) < 1e-3

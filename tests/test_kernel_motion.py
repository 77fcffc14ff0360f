"""Compiled motion and random numbers against the same written in NumPy, and against distributions."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from adiabat.kernels import _core
from adiabat.kernels.motion import (
    carried,
    chi_squared,
    dragged,
    drifted,
    furthest,
    kicked,
    normal,
    propagated_chains,
    rubbed,
    second_moments,
    transformed,
)

COUNTS = st.lists(st.integers(1, 6), min_size=1, max_size=4)
REPLICAS = np.array([0, 7], dtype=np.uint64)


class Atoms:
    """Random ones."""

    def __init__(self, counts: list[int], seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.start = np.concatenate([[0], np.cumsum(counts)])
        self.system = np.repeat(np.arange(len(counts)), counts)
        atoms, systems = sum(counts), len(counts)
        self.x, self.v, self.f = rng.normal(size=(3, atoms, 3))
        self.masses = rng.uniform(1, 50, atoms)
        self.centers, self.factors = rng.normal(size=(systems, 3)), rng.normal(size=systems)
        self.matrices = rng.normal(size=(systems, 3, 3))

    def total(self, per_atom: np.ndarray) -> np.ndarray:
        found = np.zeros((len(self.start) - 1, *per_atom.shape[1:]))
        np.add.at(found, self.system, per_atom)
        return found


@settings(deadline=None, max_examples=30, derandomize=True)
@given(counts=COUNTS, seed=st.integers(0, 10**6))
def test_each_pass_is_what_numpy_makes_of_its_formula(counts: list[int], seed: int) -> None:
    a = Atoms(counts, seed)
    masses = a.masses.copy()
    masses[0] = np.inf
    close: dict[str, Any] = {"rtol": 1e-12, "atol": 1e-12}
    np.testing.assert_allclose(kicked(a.v, a.f, 1 / masses, 0.3), a.v + 0.3 * a.f / masses[:, None], **close)
    np.testing.assert_allclose(drifted(a.x, a.v, a.f, 0.3), a.x + 0.3 * (a.v + a.f), **close)
    center = a.total(a.masses[:, None] * a.v) / a.total(a.masses)[:, None]
    free = np.arange(len(counts)) % 2 == 0
    center[~free] = 0.0
    about = a.v - center[a.system]
    spread = a.total(a.masses[:, None, None] * about[:, :, None] * about[:, None, :])
    for full, expected in ((True, spread), (False, np.trace(spread, axis1=1, axis2=2)[:, None, None] / 3)):
        found, centers = second_moments(a.start, a.masses, free, a.v, full=full)
        np.testing.assert_allclose(found, expected, **close)
        np.testing.assert_allclose(centers, center, **close)
    about, each = a.v - a.centers[a.system], a.matrices[a.system]
    turned = np.einsum("na,nab->nb", about, each) + a.centers[a.system]
    np.testing.assert_allclose(transformed(a.start, a.v, a.matrices, a.centers), turned, **close)
    np.testing.assert_allclose(transformed(a.start, a.v, a.factors), a.factors[a.system][:, None] * a.v, **close)
    scales = a.factors[a.system][:, None]
    way = 0.3 * scales * (a.v + a.f)
    moved = carried(a.start, a.x, (a.v, a.f), 0.3, cell=a.matrices, way=a.factors)
    np.testing.assert_allclose(moved, np.einsum("na,nab->nb", a.x, each) + way, **close)
    kick = np.einsum("na,nab->nb", 0.3 * a.f / masses[:, None], each)
    slowed = dragged(a.start, a.v, a.centers, a.f, 1 / masses, 0.3, cell=a.factors, way=a.matrices)
    np.testing.assert_allclose(slowed, a.centers[a.system] + scales * about + kick, **close)
    away = a.x - np.einsum("na,nab->nb", a.v, each)
    expected = [np.linalg.norm(away[a.system == s], axis=1).max() for s in range(len(counts))]
    np.testing.assert_allclose(furthest(a.start, a.v, a.x, a.matrices), expected, **close)


def test_friction_scales_adds_noise_and_counts_what_it_gave() -> None:
    a = Atoms([3, 2], 1)
    inertia = a.masses.copy()
    inertia[1] = np.inf
    inverse_roots = 1 / np.sqrt(inertia)
    found, gained = rubbed(
        a.start, a.v, a.f, inverse_roots=inverse_roots, weights=a.masses, decay=0.7, widths=np.array([0.5, 2.0])
    )
    widths = np.array([0.5, 2.0])[a.system] / np.sqrt(inertia)
    np.testing.assert_allclose(found, 0.7 * a.v + widths[:, None] * a.f, rtol=1e-13)
    np.testing.assert_allclose(gained, a.total(a.masses * (found**2 - a.v**2).sum(1)), rtol=1e-12)


def test_a_position_that_is_no_number_is_no_distance() -> None:
    a = Atoms([3, 2], 2)
    a.x[1, 2] = np.nan
    found = furthest(a.start, a.v, a.x)
    assert np.isnan(found[0])
    assert np.isfinite(found[1])


def test_a_chain_of_one_link_moves_as_its_equation_has_it() -> None:
    """dv/dt = (2K - f kT) / Q with 2K -> 2K exp(-2 ∫ v): small steps against NumPy's own of the same equation."""
    mass, degrees, twice, thermal, v, scale, stored, h = 2.0, 6.0, 1.3, 0.2, 0.1, 1.0, 0.0, 1e-4
    for _ in range(1000):
        v += 0.5 * h * (scale**2 * twice - degrees * thermal) / mass
        scale *= np.exp(-h * v)
        stored += h * thermal * degrees * v
        v += 0.5 * h * (scale**2 * twice - degrees * thermal) / mass
    links, factor, kept = propagated_chains(
        np.array([[0.1]]),
        mass=np.array([mass / degrees]),
        degrees=np.array([degrees]),
        twice_kinetic=np.array([twice]),
        thermal=np.array([thermal]),
        steps=np.full(10, 0.01),
    )
    np.testing.assert_allclose([links[0, 0], factor[0], kept[0]], [v, scale, stored], rtol=1e-4)


def test_numbers_are_functions_of_their_key_and_not_of_their_company() -> None:
    few = normal(5, REPLICAS, purpose=1, step=3, start=np.array([0, 4, 9]))
    more = normal(5, REPLICAS, purpose=1, step=3, start=np.array([0, 100, 200]))
    np.testing.assert_array_equal(few[:4], more[:4])
    np.testing.assert_array_equal(few[4:], more[100:105])


@pytest.mark.parametrize("seed", [0, 2**64 - 1])
def test_normal_numbers_are_normal_out_to_the_tail(seed: int) -> None:
    drawn = normal(seed, REPLICAS[:1], purpose=2, step=2**40, start=np.array([0, 200_000])).ravel()
    assert stats.kstest(drawn, "norm").pvalue > 1e-3
    beyond = 2 * stats.norm.sf(3.6541528853610088)  # where the layers of the ziggurat end
    assert abs((np.abs(drawn) > 3.6541528853610088).sum() - len(drawn) * beyond) < 4 * np.sqrt(len(drawn) * beyond)
    assert abs(np.corrcoef(drawn[:-1], drawn[1:])[0, 1]) < 4 / np.sqrt(len(drawn))


@pytest.mark.parametrize("degrees", [1, 2, 3, 191])
def test_chi_squared_numbers_are_distributed_so(degrees: int) -> None:
    replicas = np.arange(20_000, dtype=np.uint64)
    drawn = chi_squared(1, replicas, purpose=3, step=0, degrees=np.full(20_000, degrees))
    assert stats.kstest(drawn, "chi2", args=(degrees,)).pvalue > 1e-3


def test_no_degrees_of_freedom_have_no_squares() -> None:
    assert chi_squared(1, REPLICAS, purpose=3, step=0, degrees=np.array([0, -1])).tolist() == [0.0, 0.0]


def test_arrays_that_do_not_fit_are_refused() -> None:
    a = Atoms([3, 2], 3)
    with pytest.raises(ValueError, match="same length"):
        kicked(a.v, a.f[:4], a.masses, 1.0)
    with pytest.raises(ValueError, match="cover all atoms"):
        transformed(np.array([0, 3, 4]), a.v, a.factors)
    with pytest.raises(ValueError, match="do not overlap"):
        transformed(np.array([0, 6, 5]), a.v, a.factors)
    with pytest.raises(TypeError):
        _core.kick(a.v.astype(np.float32), a.f, a.masses, 1.0, np.empty_like(a.v))

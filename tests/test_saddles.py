"""Saddles found from one side, on surfaces that are known; and tunnelling through a barrier that can be solved."""

import numpy as np
import pytest
import torch
from analytic_models import PairModel
from ase import Atoms
from ase.build import bulk
from scipy.integrate import quad
from scipy.optimize import fsolve
from surfaces_in_the_plane import cosine, field, leps, muller_brown, walker

from adiabat.errors import ConfigurationError, SimulationError, StructureError
from adiabat.potential import Committee, Potential
from adiabat.properties import measured
from adiabat.properties.paths import eckart, wigner
from adiabat.properties.saddles import (
    FollowSettings,
    follow_lowest_mode,
    partitioned_rational_function,
    saddles,
    saddles_of_member,
    verified,
)
from adiabat.units import BOLTZMANN_EV_PER_K, PLANCK_EV_PER_THZ

MOVES = np.array([True, False])


def at(x: float, y: float) -> np.ndarray:
    return walker(x, y).positions


def test_both_saddles_of_muller_and_browns_surface_are_found_from_their_minima() -> None:
    potential, how = field(muller_brown, stiffness=50.0), FollowSettings(steps=150)
    found = saddles(walker(0.6, 0.05), potential, searches=6, push_angstrom=0.1, settings=how)

    assert found.barrier_ev[0] == pytest.approx(1.08167 - 0.72249, abs=1e-4)
    assert found.slid_back + found.not_converged < 6
    assert found.structures[0].positions[0, :2] == pytest.approx([0.2125, 0.2930], abs=1e-3)
    assert found.leads_to_start[0]
    assert found.reverse_barrier_ev[0] == pytest.approx(0.80768 - 0.72249, abs=1e-4)
    other = saddles(walker(-0.558, 1.442), potential, searches=6, push_angstrom=0.1, settings=how)
    assert other.barrier_ev[0] == pytest.approx(1.46700 - 0.40665, abs=1e-4)


def leps_saddle() -> np.ndarray:
    """(2,) where the gradient of the surface vanishes between its valleys, by another root finder."""

    def gradient(place: np.ndarray) -> np.ndarray:
        x, y = (torch.tensor(value, requires_grad=True) for value in place)
        return np.array([part.item() for part in torch.autograd.grad(leps(x, y), [x, y])])

    return np.asarray(fsolve(gradient, [0.95, 0.95]))


def test_the_saddle_of_leps_lies_on_the_diagonal_where_its_gradient_vanishes() -> None:
    potential, place = field(leps), leps_saddle()
    start = walker(0.75, 1.5)
    one = follow_lowest_mode(
        start,
        potential,
        at(0.9, 1.05)[None],
        (at(0.0, 1.0) - at(1.0, 0.0))[None],
        moves=MOVES,
        settings=FollowSettings(force_tolerance_ev_per_angstrom=1e-4),
    )
    exact = partitioned_rational_function(walker(0.9, 1.05), potential, moves=MOVES)

    assert place[0] == pytest.approx(place[1])
    assert one.converged[0]
    assert one.positions[0, 0, :2] == pytest.approx(place, abs=1e-3)
    assert exact.converged
    assert exact.steps < 12
    assert exact.atoms.positions[0, :2] == pytest.approx(place, abs=1e-5)


def test_the_search_by_the_exact_hessian_follows_the_mode_that_is_asked_for() -> None:
    potential = field(muller_brown)
    near = walker(0.3, 0.25)
    found = partitioned_rational_function(near, potential, moves=MOVES, direction=at(0.7, -0.7) - at(0, 0))

    assert found.converged
    assert found.negative == 1
    assert found.atoms.positions[0, :2] == pytest.approx([0.2125, 0.2930], abs=1e-4)


def test_a_saddle_is_verified_by_its_mode_and_its_two_sides() -> None:
    potential = field(muller_brown)
    saddle = partitioned_rational_function(walker(0.21, 0.29), potential, moves=MOVES).atoms
    minima = [walker(-0.558, 1.442), walker(0.623, 0.028), walker(-0.050, 0.467)]
    found = verified(saddle, potential, moves=MOVES, minima=minima)
    minimum = verified(walker(0.6235, 0.0280), potential, moves=MOVES)

    assert found.modes.negative == 1
    assert set(found.leads_to) == {1, 2}
    assert minimum.modes.negative == 0


def test_searches_that_slide_back_are_counted_and_told_what_to_do() -> None:
    bowl = field(lambda x, y: 0.5 * (x**2 + 2 * y**2))
    found = saddles(walker(0.1, 0.1), bowl, searches=3, settings=FollowSettings(steps=30))

    assert found.slid_back == 3
    assert found.structures == ()
    assert found.advice is not None
    assert "3 of 3 searches slid back" in found.advice
    assert "no saddle was found" in found.advice


def test_barriers_have_error_bars_from_members_that_have_the_saddle() -> None:
    factors = (0.9, 1.1)
    committee = Committee([field(cosine(0.4 * factor, 3.0, 2.0)) for factor in factors])
    own = saddles(walker(0.05, 0.0), committee, searches=4, push_angstrom=0.3, settings=FollowSettings(steps=150))
    found = measured(
        lambda member: own if member is committee else saddles_of_member(own, member), committee, quiet=True
    )

    assert len(own.structures) == 1  # either side of the well is one saddle
    assert own.found_times == (4,)
    assert own.barrier_ev == pytest.approx([0.4], abs=1e-5)
    assert found.std("barrier_ev") == pytest.approx([0.04], rel=1e-3)
    with pytest.raises(SimulationError, match="saddle 0 is none"):
        saddles_of_member(own, field(lambda x, y: x**2 + y**2))


def test_a_molecule_is_searched_without_its_free_motions() -> None:
    triangle = Atoms("Ar4", positions=[[0, 0, 0], [3.8, 0, 0], [1.9, 3.3, 0], [1.9, 1.1, 3.1]])
    found = saddles(
        triangle,
        Potential([PairModel({18: 0.5}, {18: 3.4}, cutoff=9.0)]),
        searches=4,
        push_angstrom=0.8,
        settings=FollowSettings(5e-3, 300),
    )

    # The square (planar rhombus) over which four atoms exchange places is the only saddle of first order.
    assert len(found.structures) >= 1
    assert found.barrier_ev[0] > 0
    assert found.largest_force_ev_per_angstrom[0] < 1e-3  # polished


def test_a_start_that_is_no_minimum_is_refused() -> None:
    with pytest.raises(StructureError, match="1 modes of the structure at rest are unstable"):
        saddles(walker(1.5, 0.0), field(cosine(0.4, 3.0, 2.0)))


def test_wrong_searches_are_refused() -> None:
    crystal = bulk("Cu", cubic=True)
    for wrong in ({"searches": 0}, {"push_angstrom": 0.0}, {"center": 4}):
        with pytest.raises(ConfigurationError):
            saddles(crystal, field(muller_brown), **wrong)  # type: ignore[arg-type]


def transmission_through_sech_squared(energy: float, barrier: float, quantum: float) -> float:
    """L. D. Landau and E. M. Lifshitz, Quantum Mechanics, § 25, problem 4: U₀ / cosh²(αx), by energies alone.

    With ħω = ħα √(2U₀/m): πk/α = 2π √(E U₀) / ħω, and 8mU₀/ħ²α² = (4 U₀/ħω)².
    """
    s = np.sinh(2 * np.pi * np.sqrt(energy * barrier) / quantum) ** 2
    inner = (4 * barrier / quantum) ** 2 - 1
    c = np.cosh(0.5 * np.pi * np.sqrt(inner)) ** 2 if inner > 0 else np.cos(0.5 * np.pi * np.sqrt(-inner)) ** 2
    return float(s / (s + c))


@pytest.mark.parametrize(("barrier", "thz", "kelvin"), [(0.3, 40.0, 300.0), (0.3, 40.0, 150.0), (0.02, 45.0, 300.0)])
def test_eckarts_factor_of_equal_sides_is_that_of_the_solved_barrier(barrier: float, thz: float, kelvin: float) -> None:
    thermal, angular = BOLTZMANN_EV_PER_K * kelvin, PLANCK_EV_PER_THZ * thz / (2 * np.pi) * 2 * np.pi
    integral = quad(
        lambda energy: (
            transmission_through_sech_squared(energy, barrier, angular) * np.exp((barrier - energy) / thermal)
        ),
        0,
        barrier + 40 * thermal,
        limit=500,
    )[0]

    assert eckart(thz, barrier, barrier, np.array([kelvin]))[0] == pytest.approx(integral / thermal, rel=1e-3)


def test_eckarts_factor_of_a_heavy_and_cold_atom_is_a_number() -> None:
    """A barrier of a thousand quanta, at 5 K: exponents of thousands cancel. So heavy an atom tunnels as Wigner says."""
    assert eckart(0.2, 2.0, 2.0, np.array([5.0, 300.0])) == pytest.approx(wigner(0.2, np.array([5.0, 300.0])), rel=0.1)


def test_eckarts_factor_tends_to_wigners_where_tunnelling_is_weak() -> None:
    hot = np.array([3000.0])
    assert eckart(20.0, 2.0, 1.5, hot) == pytest.approx(wigner(20.0, hot), abs=1e-3)
    assert eckart(20.0, 2.0, 1.5, np.array([100.0]))[0] > wigner(20.0, np.array([100.0]))[0]
    assert eckart(20.0, 0.5, 0.3, hot) == pytest.approx(eckart(20.0, 0.3, 0.5, hot), rel=1e-3)  # detailed balance
    with pytest.raises(ConfigurationError, match="barriers of 0"):
        eckart(20.0, 0.0, 1.0, hot)

"""Pairs of temperatures and pressures: whatever the density of states, ratios of distributions are known.

M. R. Shirts, J. Chem. Theory Comput. 9, 909 (2013), doi:10.1021/ct300688p: ln P₂(U) / P₁(U) = (β₁ - β₂) U + constant, and
ln P₂(V) / P₁(V) = β (P₁ - P₂) V + constant, fitted by maximum likelihood to independent samples.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

import adiabat
from adiabat.potential import Potential
from adiabat.simulate import (
    CellRescaling,
    Follower,
    Integrator,
    LangevinBAOAB,
    MartynaTobiasKlein,
    NoseHooverChains,
    State,
    Streams,
    VelocityRescaling,
    maxwell_boltzmann,
)
from adiabat.simulate.state import drift_velocity
from adiabat.system import Batch
from adiabat.testing.breathing import BreathingCrystals
from adiabat.testing.data import reference_data
from adiabat.testing.ensemble import conserves_momentum, thermal_state
from adiabat.testing.oscillators import AnharmonicChains
from adiabat.typing import FloatArray
from adiabat.units import BOLTZMANN_EV_PER_K, GPA_PER_EV_PER_CUBIC_ANGSTROM

TAU_FS = 25.0
THERMOSTATS: dict[str, Callable[[float], Integrator]] = {
    "langevin": lambda kelvin: LangevinBAOAB(1.0, kelvin, 0.04),
    "csvr": lambda kelvin: VelocityRescaling(1.0, kelvin, TAU_FS),
    "nhc": lambda kelvin: NoseHooverChains(1.0, kelvin, TAU_FS),
}
BAROSTATS: dict[str, Callable[[float], Integrator]] = {
    "csvr": lambda gpa: CellRescaling(VelocityRescaling(1.5, 300.0, TAU_FS), gpa, 3 * TAU_FS, 0.1),
    "langevin": lambda gpa: CellRescaling(LangevinBAOAB(1.5, 300.0, 0.04), gpa, 3 * TAU_FS, 0.1),
    "langevin, flexible": lambda gpa: CellRescaling(LangevinBAOAB(1.5, 300.0, 0.04), gpa, 3 * TAU_FS, 0.1, "flexible"),
    "mtk": lambda gpa: MartynaTobiasKlein(1.5, 300.0, gpa, TAU_FS, 3 * TAU_FS),
    "mtk, flexible": lambda gpa: MartynaTobiasKlein(1.5, 300.0, gpa, TAU_FS, 6 * TAU_FS, "flexible"),
}


def slope_of_ratio(first: FloatArray, second: FloatArray) -> tuple[float, float]:
    """Of ln P₂(x) / P₁(x), by logistic regression on which of the two an x comes from; and its standard error."""
    values = np.concatenate([first, second])
    shift, scale = values.mean(), values.std()
    x = (values - shift) / scale
    label = np.repeat([0.0, 1.0], [len(first), len(second)])
    design = np.stack([np.ones_like(x), x])

    def loss(parameters: FloatArray) -> float:
        z = parameters @ design
        return float(np.sum(np.logaddexp(0, z) - label * z))

    found = minimize(loss, np.zeros(2), method="BFGS", options={"gtol": 1e-6}).x
    weight = 1 / (2 + 2 * np.cosh(found @ design))
    covariance = np.linalg.inv((design * weight) @ design.T)
    return float(found[1]) / scale, float(np.sqrt(covariance[1, 1])) / scale


def test_the_slope_between_two_normal_distributions_is_the_known_one() -> None:
    rng = np.random.default_rng(0)
    slope, error = slope_of_ratio(rng.normal(0, 2, 4000), rng.normal(1, 2, 4000))
    assert abs(slope - 1 / 4) < 3 * error
    assert 0.005 < error < 0.02


@cache
def chain_energies(name: str, kelvin: float) -> FloatArray:
    """(600,) eV, of as many chains of five atoms after 0.3 ps."""
    integrator = THERMOSTATS[name](kelvin)
    chains = AnharmonicChains()
    batch = chains.batch((5,) * 600)
    masses, streams = torch.full((batch.n_atoms,), 12.0, dtype=torch.float64), Streams.of(batch, int(kelvin))
    velocities = maxwell_boltzmann(batch, masses, streams, temperature_k=kelvin, at_rest=True)
    state = integrator.init(batch, chains, velocities=velocities, masses=masses, streams=streams)
    for _ in range(300):
        state = integrator.step(state, chains)
    return state.energy.numpy()


@pytest.mark.parametrize("name", THERMOSTATS)
def test_energies_at_two_temperatures_have_the_ratio_of_boltzmann(name: str) -> None:
    lower, higher = 600.0, 900.0
    slope, error = slope_of_ratio(*(chain_energies(name, kelvin) for kelvin in (lower, higher)))
    expected = (1 / lower - 1 / higher) / BOLTZMANN_EV_PER_K
    assert abs(slope - expected) < 3 * error
    assert error < 0.2 * expected


def crystal_volumes(integrator: Integrator, pressure_gpa: float, *, flexible: bool) -> FloatArray:
    """(300,) Å³, of as many crystals of four atoms 300 steps after an equilibrium of the mean pressure."""
    crystals = BreathingCrystals(free=conserves_momentum(integrator))
    state = thermal_state(
        integrator,
        crystals,
        (4,) * 300,
        temperature_k=300.0,
        pressure_gpa=1.0,
        flexible=flexible,
        seed=round(1e3 * pressure_gpa),
    )
    for _ in range(300):
        state = integrator.step(state, crystals)
    return state.batch.volume.numpy()


@pytest.mark.parametrize("name", BAROSTATS)
def test_volumes_at_two_pressures_have_the_ratio_of_boltzmann(name: str) -> None:
    lower, higher = 0.6, 1.4
    slope, error = slope_of_ratio(
        *(crystal_volumes(BAROSTATS[name](gpa), gpa, flexible="flexible" in name) for gpa in (lower, higher))
    )
    expected = (lower - higher) / GPA_PER_EV_PER_CUBIC_ANGSTROM / (BOLTZMANN_EV_PER_K * 300.0)
    assert abs(slope - expected) < 3 * error
    assert error < 0.2 * abs(expected)


def test_a_temperature_that_is_another_one_is_seen_in_the_ratio() -> None:
    """Samples of 600 K and 900 K that are said to be of 600 K and 750 K."""
    slope, error = slope_of_ratio(*(chain_energies("csvr", kelvin) for kelvin in (600.0, 900.0)))
    assert abs(slope - (1 / 600 - 1 / 750) / BOLTZMANN_EV_PER_K) > 3 * error


@pytest.fixture(scope="module")
def silicon() -> Potential:
    structures = adiabat.read(reference_data("mlearn/Si_train.xyz"), quiet=True)
    return adiabat.train(structures, adiabat.TrainConfig.parse({"basis": {"size": "small"}}), quiet=True)


def silicon_states(
    integrator: Integrator, potential: Potential, kelvin: float, *, settling: int, samples: int, every: int
) -> list[State]:
    """Of 24 crystals of 64 atoms at once."""
    from ase.build import bulk

    batch = Batch.from_atoms([bulk("Si", cubic=True) * (2, 2, 2)] * 24)
    masses, streams = torch.full((batch.n_atoms,), 28.085, dtype=torch.float64), Streams.of(batch, int(kelvin))
    follower = Follower(potential)
    velocities = maxwell_boltzmann(batch, masses, streams, temperature_k=2 * kelvin, at_rest=True)
    warming = LangevinBAOAB(2.0, kelvin, 0.02)  # chains alone ring for long after a start that is far from equilibrium
    warm = warming.init(batch, follower, velocities=velocities, masses=masses, streams=streams)
    for _ in range(settling):
        warm = warming.step(warm, follower)
    rest = warm.velocities - drift_velocity(batch, masses, warm.velocities)[batch.system]
    state = integrator.init(warm.batch, follower, velocities=rest, masses=masses, streams=streams)
    found = []
    for step in range(settling + samples * every):
        state = integrator.step(state, follower)
        if step >= settling and step % every == 0:
            found.append(state)
    return found


SILICON: dict[str, Callable[[float], Integrator]] = {
    "langevin": lambda kelvin: LangevinBAOAB(2.0, kelvin, 0.02),
    "csvr": lambda kelvin: VelocityRescaling(2.0, kelvin, 50.0),
    "nhc": lambda kelvin: NoseHooverChains(2.0, kelvin, 50.0),
    "npt csvr": lambda kelvin: CellRescaling(VelocityRescaling(2.0, kelvin, 50.0), 0.0, 200.0, 0.01),
    "npt flexible": lambda kelvin: CellRescaling(VelocityRescaling(2.0, kelvin, 50.0), 0.0, 200.0, 0.01, "flexible"),
    "mtk": lambda kelvin: MartynaTobiasKlein(2.0, kelvin, 0.0, 50.0, 200.0),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SILICON)
def test_silicon_has_one_temperature_by_its_velocities_and_by_its_forces(name: str, silicon: Potential) -> None:
    """Configurational: k_B T = <|∇U|²> / <∇²U> (H. H. Rugh, Phys. Rev. Lett. 78, 772 (1997)), the Laplacian by one random vector each."""
    kelvin = 600.0
    states = silicon_states(SILICON[name](kelvin), silicon, kelvin, settling=400, samples=25, every=24)
    kinetic = torch.stack([SILICON[name](kelvin).measured_temperature_k(state) for state in states]).mean(0)
    squares, laplacians = (
        torch.stack(x).mean(0) for x in zip(*(force_and_curvature(s, silicon) for s in states), strict=True)
    )
    ratio = squares / laplacians.mean() / BOLTZMANN_EV_PER_K
    noise = squares.mean() / laplacians.mean() * laplacians.std() / laplacians.mean() / BOLTZMANN_EV_PER_K
    for values, more in ((kinetic, 0.0), (ratio, float(noise))):
        error = np.hypot(float(values.std()), more) / np.sqrt(len(values))
        assert abs(float(values.mean()) - kelvin) < 3 * error
        assert error < 0.015 * kelvin


def force_and_curvature(state: State, potential: Potential) -> tuple[torch.Tensor, torch.Tensor]:
    """(S,) eV²/Å² |∇U|², (S,) eV/Å² ∇²U."""
    batch, width = state.batch, 1e-3
    signs = torch.sign(torch.randn(batch.positions.shape, generator=torch.Generator().manual_seed(state.step)).double())
    up, down = (
        potential(batch.replace(positions=batch.positions + s * width * signs), want=("forces",)).forces
        for s in (1, -1)
    )
    assert up is not None
    assert down is not None
    curvature = batch.sum_over_atoms((signs * (down - up)).sum(-1)) / (2 * width)
    return batch.sum_over_atoms(state.forces.square().sum(-1)), curvature

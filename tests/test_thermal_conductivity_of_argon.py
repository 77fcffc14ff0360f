"""The thermal conductivity of the Lennard-Jones fluid against a published value."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk
from made_subjects import PairSubject
from torch import Tensor

from adiabat.potential import Potential
from adiabat.properties.observables import Ensemble, Trajectory, thermal_conductivity
from adiabat.simulate import LangevinBAOAB, Streams, VelocityVerlet, maxwell_boltzmann
from adiabat.simulate.integrator import Integrator
from adiabat.system import Batch, Graph, PartState
from adiabat.units import BOLTZMANN_EV_PER_K

EPSILON_EV, SIGMA, MASS = 0.0104, 3.4, 39.95
TIME_FS = float(SIGMA * np.sqrt(MASS / (EPSILON_EV * 9.648533212331e-3)))
"""σ √(m/ε), the unit of time."""


@dataclass(frozen=True)
class LennardJones:
    """Cut off at 2.5 σ, as in the paper."""

    kind: ClassVar[str] = "test_lennard_jones"
    cutoff: float = 2.5 * SIGMA

    @property
    def interaction_range(self) -> float:
        return self.cutoff

    @property
    def species(self) -> tuple[int, ...]:
        return (18,)

    def atomic_energies(self, graph: Graph) -> Tensor:
        graph = graph.within(self.cutoff)
        ratio = (SIGMA**2 / graph.vectors().square().sum(-1)) ** 3
        return ratio.new_zeros(graph.batch.n_atoms).index_add(0, graph.center, 2 * EPSILON_EV * (ratio**2 - ratio))

    def to(self, **kwargs: Any) -> Self:
        return self

    def to_state(self) -> PartState:
        return PartState(self.kind, {}, {})


def fluid(steps: int, *, reduced_density: float, reduced_temperature: float) -> Trajectory:
    """108 atoms at constant energy, after equilibration; ten steps from frame to frame."""
    atoms: Atoms = bulk("Ar", "fcc", a=SIGMA * (4 / reduced_density) ** (1 / 3), cubic=True) * (3, 3, 3)
    kelvin, step = reduced_temperature * EPSILON_EV / BOLTZMANN_EV_PER_K, 0.005 * TIME_FS
    pairs, batch = PairSubject(cutoff=2.5 * SIGMA, smooth=False), Batch.from_atoms(atoms)
    masses, streams = torch.full((108,), MASS, dtype=torch.float64), Streams.of(batch, 0)
    velocities = maxwell_boltzmann(batch, masses, streams, temperature_k=kelvin, at_rest=True)
    integrator: Integrator = LangevinBAOAB(step, kelvin, 0.5 / TIME_FS)
    state = integrator.init(batch, pairs, velocities=velocities, masses=masses, streams=streams)
    for _ in range(2000):
        state = integrator.step(state, pairs)
    integrator = VelocityVerlet(step)
    state = state.replace(velocities=state.velocities - state.velocities.mean(0))
    for _ in range(4):  # an instant of the canonical ensemble has the energy of another temperature
        seen_k = []
        for _ in range(500):
            state = integrator.step(state, pairs)
            seen_k.append(float(integrator.measured_temperature_k(state)[0]))
        state = state.replace(velocities=state.velocities * np.sqrt(max(0.5, 2 * kelvin / np.mean(seen_k) - 1)))
    seen = []
    for index in range(steps):
        state = integrator.step(state, pairs)
        if index % 10 == 0:
            seen.append((state.batch.positions.numpy(), state.velocities.numpy()))
    return Trajectory(
        place="argon",
        numbers=atoms.numbers.astype(np.int64),
        masses=masses.numpy(),
        pbc=np.array([True] * 3),
        times_fs=np.linspace(0.0, 10 * step * (len(seen) - 1), len(seen)),
        positions=np.array([positions for positions, _ in seen]),
        cells=np.tile(atoms.cell.array, (len(seen), 1, 1)),
        ensemble=Ensemble("nve"),
        velocities=np.array([velocities for _, velocities in seen]),
    )


@pytest.mark.slow
def test_a_lennard_jones_fluid_conducts_heat_as_published() -> None:
    """3.4 in reduced units at ρ* = 0.6, T* = 1.35, of 108 atoms: D. J. Evans, Phys. Rev. A 34, 1449 (1986), figure 1, read to 5 %."""
    trajectory = fluid(25_000, reduced_density=0.6, reduced_temperature=1.35)
    found = thermal_conductivity(trajectory, Potential([LennardJones()]), quiet=True)
    assert found.temperature_k * BOLTZMANN_EV_PER_K / EPSILON_EV == pytest.approx(1.35, rel=0.06)
    unit = 1.602176634e6 * BOLTZMANN_EV_PER_K / (SIGMA * TIME_FS)  # k_B / (σ τ) in W/(m K), of energies in eV
    reduced, error = (
        one / unit for one in (found.thermal_conductivity_w_per_m_k, found.thermal_conductivity_w_per_m_k_std)
    )
    assert found.sure
    assert reduced == pytest.approx(3.4, abs=3 * error + 0.05 * 3.4)
    assert error < 0.6

"""State: all that a simulation carries from one step to the next."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import torch
from torch import Tensor

from adiabat.simulate.streams import Streams
from adiabat.system import Batch
from adiabat.units import ACCELERATION_PER_EV_PER_ANGSTROM_PER_AMU, BOLTZMANN_EV_PER_K

EV_PER_AMU_ANGSTROM_PER_FS_SQUARED = 1 / ACCELERATION_PER_EV_PER_ANGSTROM_PER_AMU
"""1 amu (Å/fs)² in eV: 103.64."""


@dataclass(frozen=True)
class State:
    """N atoms of S structures at one instant; a step makes a new state and leaves the old one as it is.

    Attributes:
        batch: Positions and cell; positions are never wrapped into the cell, so that displacements can be read off them.
        velocities: (N, 3) Å/fs.
        masses: (N,) amu.
        energy: (S,) eV, potential energy.
        forces: (N, 3) eV/Å.
        stress: (S, 3, 3) eV/Å³ of the potential energy, positive under tension; None where a structure has none.
        heat_ev: (S,) eV that thermostat and barostat have given to the atoms so far.
        step: Steps done.
        streams: Where the random numbers come from.
        time_fs: Since step 0.
        fixed: (N,) bool, atoms that never move; None where all do.
        variables: (S, ...) by name, what an integrator carries beside the atoms: chains of thermostats, the cell's velocity.
    """

    batch: Batch
    velocities: Tensor
    masses: Tensor
    energy: Tensor
    forces: Tensor
    stress: Tensor | None
    heat_ev: Tensor
    step: int
    streams: Streams
    time_fs: float = 0.0
    fixed: Tensor | None = None
    variables: Mapping[str, Tensor] = field(default_factory=dict)

    def replace(self, **changes: Any) -> Self:
        """A copy with some of the fields exchanged."""
        return replace(self, **changes)

    @property
    def inertia(self) -> Tensor:
        """(N,) amu: the masses, infinite for fixed atoms, which no force moves."""
        return self.masses if self.fixed is None else self.masses.masked_fill(self.fixed, torch.inf)

    @property
    def accelerations(self) -> Tensor:
        """(N, 3) Å/fs²."""
        return self.forces * (ACCELERATION_PER_EV_PER_ANGSTROM_PER_AMU / self.inertia[:, None])


def kinetic_energy_ev(batch: Batch, masses: Tensor, velocities: Tensor) -> Tensor:
    """(S,) eV: Σ m v² / 2 over the atoms of each structure."""
    return 0.5 * EV_PER_AMU_ANGSTROM_PER_FS_SQUARED * batch.sum_over_atoms(masses * velocities.square().sum(-1))


def kinetic_tensor_ev(batch: Batch, masses: Tensor, velocities: Tensor) -> Tensor:
    """(S, 3, 3) eV: Σ m v ⊗ v over the atoms of each structure; its trace is twice the kinetic energy."""
    products = (masses[:, None] * velocities)[:, :, None] * velocities[:, None, :]
    return EV_PER_AMU_ANGSTROM_PER_FS_SQUARED * batch.sum_over_atoms(products)


def drift_velocity(batch: Batch, masses: Tensor, velocities: Tensor, fixed: Tensor | None = None) -> Tensor:
    """(S, 3) Å/fs: the velocity of each structure's centre of mass, where that moves freely.

    Zero for a single atom, whose only motion it is, and where atoms are fixed.
    """
    momentum = batch.sum_over_atoms(masses[:, None] * velocities)
    drift = momentum / batch.sum_over_atoms(masses)[:, None]
    return drift.masked_fill(~_moves_freely(batch, fixed)[:, None], 0.0)


def temperature_k(kinetic_ev: Tensor, degrees_of_freedom: Tensor) -> Tensor:
    """(S,) K: 2 K / (f k_B)."""
    return 2 * kinetic_ev / (degrees_of_freedom.to(kinetic_ev.dtype) * BOLTZMANN_EV_PER_K)


def internal_kinetic_energy_ev(state: State, velocities: Tensor, drift: Tensor | None = None) -> Tensor:
    """(S,) eV: that of the motion about the centre of mass, where that moves freely; `drift` is its velocity, where it is known."""
    batch, masses = state.batch, state.masses
    drift = drift_velocity(batch, masses, velocities, state.fixed) if drift is None else drift
    of_drift = 0.5 * EV_PER_AMU_ANGSTROM_PER_FS_SQUARED * batch.sum_over_atoms(masses) * drift.square().sum(-1)
    return kinetic_energy_ev(batch, masses, velocities) - of_drift


def internal_temperature_k(state: State, velocities: Tensor) -> Tensor:
    """(S,) K: of the motion about the centre of mass, where that moves freely."""
    kinetic = internal_kinetic_energy_ev(state, velocities)
    return temperature_k(kinetic, internal_degrees_of_freedom(state.batch, state.fixed))


def internal_degrees_of_freedom(batch: Batch, fixed: Tensor | None = None) -> Tensor:
    """(S,) 3n - 3: the motion about the centre of mass, where that moves freely; 3 for each atom that moves elsewhere."""
    return all_degrees_of_freedom(batch, fixed) - 3 * _moves_freely(batch, fixed).long()


def all_degrees_of_freedom(batch: Batch, fixed: Tensor | None = None) -> Tensor:
    """(S,) 3 for each atom that moves: the centre of mass takes part, as under a thermostat that acts on each atom."""
    return 3 * (batch.counts if fixed is None else batch.sum_over_atoms((~fixed).long()))


def _moves_freely(batch: Batch, fixed: Tensor | None) -> Tensor:
    """(S,) whether the structure's centre of mass is not held, and its motion not the only one."""
    free = batch.counts > 1
    return free if fixed is None else free & (batch.sum_over_atoms(fixed.long()) == 0)

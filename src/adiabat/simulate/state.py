"""State: all that a simulation carries from one step to the next."""

from dataclasses import dataclass, replace
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
        heat_ev: (S,) eV that a thermostat has given to the atoms so far.
        step: Steps done.
        streams: Where the random numbers come from.
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

    def replace(self, **changes: Any) -> Self:
        """A copy with some of the fields exchanged."""
        return replace(self, **changes)

    @property
    def accelerations(self) -> Tensor:
        """(N, 3) Å/fs²."""
        return self.forces * (ACCELERATION_PER_EV_PER_ANGSTROM_PER_AMU / self.masses[:, None])


def kinetic_energy_ev(batch: Batch, masses: Tensor, velocities: Tensor) -> Tensor:
    """(S,) eV: Σ m v² / 2 over the atoms of each structure."""
    twice = batch.sum_over_atoms(masses[:, None] * velocities.square()).sum(-1)
    return 0.5 * EV_PER_AMU_ANGSTROM_PER_FS_SQUARED * twice


def drift_velocity(batch: Batch, masses: Tensor, velocities: Tensor) -> Tensor:
    """(S, 3) Å/fs: the velocity of each structure's centre of mass; zero for a single atom, whose only motion it is."""
    momentum = batch.sum_over_atoms(masses[:, None] * velocities)
    drift = momentum / batch.sum_over_atoms(masses)[:, None]
    return drift.masked_fill((batch.counts == 1)[:, None], 0.0)


def temperature_k(kinetic_ev: Tensor, degrees_of_freedom: Tensor) -> Tensor:
    """(S,) K: 2 K / (f k_B)."""
    return 2 * kinetic_ev / (degrees_of_freedom.to(kinetic_ev.dtype) * BOLTZMANN_EV_PER_K)


def internal_degrees_of_freedom(batch: Batch) -> Tensor:
    """(S,) 3n - 3: the motion about the centre of mass, where that moves freely; 3 for a single atom, which has no other."""
    return 3 * torch.clamp(batch.counts - 1, min=1)


def all_degrees_of_freedom(batch: Batch) -> Tensor:
    """(S,) 3n: the centre of mass takes part, as under a thermostat that acts on each atom."""
    return 3 * batch.counts

"""State: all that a simulation carries from one step to the next."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import torch
from torch import Tensor

from adiabat.simulate.bodies import Bodies
from adiabat.simulate.streams import Streams
from adiabat.system import Batch
from adiabat.units import ACCELERATION_PER_EV_PER_ANGSTROM_PER_AMU, BOLTZMANN_EV_PER_K


@dataclass(frozen=True)
class State:
    """N atoms of S structures at one instant; a step makes a new state and leaves the old one as it is.

    Attributes:
        batch: Positions and cell; positions are never wrapped into the cell, so that displacements can be read off them.
        velocities: (N, 3) Å/fs.
        bodies: The atoms' masses, and which of them never move.
        energy: (S,) eV, potential energy.
        forces: (N, 3) eV/Å.
        stress: (S, 3, 3) eV/Å³ of the potential energy, positive under tension; None where a structure has none.
        heat_ev: (S,) eV that thermostat and barostat have given to the atoms so far.
        step: Steps done.
        streams: Where the random numbers come from.
        time_fs: Since step 0.
        variables: (S, ...) by name, what an integrator carries beside the atoms: chains of thermostats, the cell's velocity.
    """

    batch: Batch
    velocities: Tensor
    bodies: Bodies
    energy: Tensor
    forces: Tensor
    stress: Tensor | None
    heat_ev: Tensor
    step: int
    streams: Streams
    time_fs: float = 0.0
    variables: Mapping[str, Tensor] = field(default_factory=dict)

    def replace(self, **changes: Any) -> Self:
        """A copy with some of the fields exchanged."""
        # What `dataclasses.replace` does, at a fifth of its time: it is called several times in each step, between two kernels.
        made = object.__new__(type(self))
        made.__dict__.update(self.__dict__, **changes)
        return made

    @property
    def masses(self) -> Tensor:
        """(N,) amu."""
        return self.bodies.masses

    @property
    def fixed(self) -> Tensor | None:
        """(N,) bool, atoms that never move; None where all do."""
        return self.bodies.fixed

    @property
    def inertia(self) -> Tensor:
        """(N,) amu: the masses, infinite for fixed atoms, which no force moves."""
        return torch.from_numpy(self.bodies.inertia)

    @property
    def accelerations(self) -> Tensor:
        """(N, 3) Å/fs²."""
        return self.forces * (ACCELERATION_PER_EV_PER_ANGSTROM_PER_AMU / self.inertia[:, None])


def kinetic_energy_ev(batch: Batch, masses: Tensor, velocities: Tensor) -> Tensor:
    """(S,) eV: Σ m v² / 2 over the atoms of each structure."""
    return torch.from_numpy(Bodies.of(batch, masses).kinetic_energy_ev(velocities))


def kinetic_energy_of(state: State, velocities: Tensor) -> Tensor:
    """(S,) eV: of the state's atoms at these velocities."""
    return torch.from_numpy(state.bodies.kinetic_energy_ev(velocities))


def drift_velocity(batch: Batch, masses: Tensor, velocities: Tensor, fixed: Tensor | None = None) -> Tensor:
    """(S, 3) Å/fs: the velocity of each structure's centre of mass, where that moves freely.

    Zero for a single atom, whose only motion it is, and where atoms are fixed.
    """
    return torch.from_numpy(Bodies.of(batch, masses, fixed).internal_motion(velocities)[1])


def temperature_k(kinetic_ev: Tensor, degrees_of_freedom: Tensor) -> Tensor:
    """(S,) K: 2 K / (f k_B)."""
    return 2 * kinetic_ev / (degrees_of_freedom.to(kinetic_ev.dtype) * BOLTZMANN_EV_PER_K)


def internal_temperature_k(state: State, velocities: Tensor) -> Tensor:
    """(S,) K: of the motion about the centre of mass, where that moves freely."""
    kinetic = torch.from_numpy(state.bodies.internal_motion(velocities)[0])
    return temperature_k(kinetic, internal_degrees_of_freedom(state))


def internal_degrees_of_freedom(state: State) -> Tensor:
    """(S,) 3n - 3: the motion about the centre of mass, where that moves freely; 3 for each atom that moves elsewhere."""
    return torch.from_numpy(state.bodies.internal_degrees)


def all_degrees_of_freedom(state: State) -> Tensor:
    """(S,) 3 for each atom that moves: the centre of mass takes part, as under a thermostat that acts on each atom."""
    return torch.from_numpy(state.bodies.all_degrees)

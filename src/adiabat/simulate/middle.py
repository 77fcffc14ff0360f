"""The middle scheme: a thermostat between two half drifts, whatever thermostat it is."""

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor

from adiabat.simulate.integrator import Evaluator, counted, drifted, kicked, moved
from adiabat.simulate.series import ErrorFromSeries
from adiabat.simulate.state import (
    State,
    internal_degrees_of_freedom,
    kinetic_energy_of,
    temperature_k,
)


class Middle(ABC):
    """Half a kick, half a drift, the thermostat for a whole step, half a drift, half a kick.

    Z. Zhang, X. Liu, K. Yan, M. E. Tuckerman and J. Liu, J. Phys. Chem. A 123, 6056 (2019), doi:10.1021/acs.jpca.9b02771:
    positions in a harmonic well have their exact variance k_B T / (m ω²) at every stable time step. Velocities at the end of a
    step have the variance (1 - ω²h²/4) k_B T / m; half a kick earlier or later it is exact. Kinetic energies are therefore
    means over these two half kicks: K(v) + h² Σ m a² / 8.

    Attributes:
        conserves_momentum: Whether the thermostat leaves the motion of the centre of mass as it is.
    """

    timestep_fs: float
    conserves_momentum: ClassVar[bool]

    @abstractmethod
    def thermalised(self, state: State, velocities: Tensor) -> State:
        """The state with what the thermostat makes of these velocities in one step."""

    def step(self, state: State, potential: Evaluator) -> State:
        """The state one time step later."""
        half = 0.5 * self.timestep_fs
        before = kicked(state.velocities, state, by_fs=half)
        thermal = self.thermalised(state, before)
        positions = drifted(state.batch.positions, before, thermal.velocities, by_fs=half)
        arrived = moved(thermal, positions, potential)
        velocities = kicked(arrived.velocities, arrived, by_fs=half)
        return arrived.replace(velocities=velocities, **counted(state, self.timestep_fs))

    def kinetic_energy_ev(self, state: State) -> Tensor:
        """(S,) eV: the mean of half a kick before and half a kick after this instant."""
        kick = 0.5 * self.timestep_fs * state.accelerations
        return kinetic_energy_of(state, state.velocities) + kinetic_energy_of(state, kick)

    def conserved_energy_ev(self, state: State) -> Tensor:
        """(S,) eV: potential and kinetic energy (of this instant) less the heat that was given.

        Its change is the error of the time step alone (Bussi and Parrinello, Phys. Rev. E 75, 056707 (2007)).
        """
        return state.energy + kinetic_energy_of(state, state.velocities) - state.heat_ev


class InternalMiddle(ErrorFromSeries, Middle):
    """The middle scheme of a thermostat that leaves the motion of the centre of mass as it is."""

    conserves_momentum: ClassVar[bool] = True

    def degrees_of_freedom(self, state: State) -> Tensor:
        """(S,) 3n - 3; three for each atom that moves where others are fixed."""
        return internal_degrees_of_freedom(state)

    def measured_temperature_k(self, state: State) -> Tensor:
        """(S,) K, of the motion about the centre of mass."""
        kick = 0.5 * self.timestep_fs * state.accelerations
        kinetic = state.bodies.internal_motion(state.velocities)[0] + state.bodies.internal_motion(kick)[0]
        return temperature_k(torch.from_numpy(kinetic), self.degrees_of_freedom(state))

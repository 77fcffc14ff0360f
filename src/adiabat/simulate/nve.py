"""Constant energy: Newton's equations by velocity Verlet."""

from dataclasses import dataclass, replace
from typing import Self

from torch import Tensor

from adiabat.simulate.checks import require_positive
from adiabat.simulate.integrator import Evaluator, counted, drifted, first_state, kicked, moved
from adiabat.simulate.series import ErrorFromSeries
from adiabat.simulate.state import (
    State,
    internal_degrees_of_freedom,
    internal_temperature_k,
    kinetic_energy_of,
)


@dataclass(frozen=True)
class VelocityVerlet(ErrorFromSeries):
    """Velocity Verlet (Swope, Andersen, Berens and Wilson, J. Chem. Phys. 76, 637 (1982), doi:10.1063/1.442716).

        v(t + h/2) = v(t) + (h/2) a(t)
        x(t + h)   = x(t) + h v(t + h/2)
        v(t + h)   = v(t + h/2) + (h/2) a(t + h)

    Time-reversible and symplectic, with an energy error of order h² that does not grow. Momentum is conserved, so the
    motion of the centre of mass is no thermal motion: 3n - 3 degrees of freedom.

    Attributes:
        timestep_fs: h.
    """

    timestep_fs: float

    def __post_init__(self) -> None:
        require_positive("timestep_fs", self.timestep_fs)

    init = staticmethod(first_state)

    def with_timestep(self, timestep_fs: float) -> Self:
        """The same with another time step."""
        return replace(self, timestep_fs=timestep_fs)

    def step(self, state: State, potential: Evaluator) -> State:
        """The state one time step later."""
        half = 0.5 * self.timestep_fs
        velocities = kicked(state.velocities, state, by_fs=half)
        positions = drifted(state.batch.positions, velocities, velocities, by_fs=half)
        arrived = moved(state, positions, potential)
        velocities = kicked(velocities, arrived, by_fs=half)
        return arrived.replace(velocities=velocities, **counted(state, self.timestep_fs))

    def degrees_of_freedom(self, state: State) -> Tensor:
        """(S,) 3n - 3; three for each atom that moves where others are fixed."""
        return internal_degrees_of_freedom(state)

    def kinetic_energy_ev(self, state: State) -> Tensor:
        """(S,) eV, of all motion, that of the centre of mass among it."""
        return kinetic_energy_of(state, state.velocities)

    def measured_temperature_k(self, state: State) -> Tensor:
        """(S,) K, of the motion about the centre of mass."""
        return internal_temperature_k(state, state.velocities)

    def conserved_energy_ev(self, state: State) -> Tensor:
        """(S,) eV: potential and kinetic energy."""
        return state.energy + self.kinetic_energy_ev(state)

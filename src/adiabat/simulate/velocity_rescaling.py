"""Constant temperature: stochastic velocity rescaling."""

import math
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from torch import Tensor

from adiabat.kernels.motion import rescaling_factors
from adiabat.simulate.checks import require_positive
from adiabat.simulate.integrator import first_state
from adiabat.simulate.middle import InternalMiddle
from adiabat.simulate.per_system import transformed
from adiabat.simulate.schedule import Target, at_time, require_target
from adiabat.simulate.state import State
from adiabat.typing import FloatArray
from adiabat.units import BOLTZMANN_EV_PER_K


@dataclass(frozen=True)
class VelocityRescaling(InternalMiddle):
    """CSVR (Bussi, Donadio and Parrinello, J. Chem. Phys. 126, 014101 (2007), doi:10.1063/1.2408420), in the middle scheme.

    All velocities about the centre of mass are multiplied by α, equations A7 and A8 with c = exp(-h/τ):

        α² = c + (1 - c) (K̄ / f K) (R₁² + Σ R_i²) + 2 R₁ sqrt(c (1 - c) K̄ / (f K)),   K̄ = f k_B T / 2
        sign α = sign(R₁ + sqrt(c f K / ((1 - c) K̄)))

    R₁ and the f - 1 others are standard normal; the sum of their squares is drawn as a χ² number. The motion of the centre of mass
    is left as it is: f = 3n - 3. Structures in which no atom moves stay so.

    Attributes:
        timestep_fs: h.
        temperature_k: T.
        time_constant_fs: τ; dynamics are disturbed the less, the longer it is.
    """

    timestep_fs: float
    temperature_k: Target
    time_constant_fs: float

    def __post_init__(self) -> None:
        require_positive("timestep_fs", self.timestep_fs)
        require_target("temperature_k", self.temperature_k, least=0.0)
        require_positive("time_constant_fs", self.time_constant_fs)

    init = staticmethod(first_state)

    def with_timestep(self, timestep_fs: float) -> Self:
        """The same with another time step."""
        return replace(self, timestep_fs=timestep_fs)

    def thermalised(self, state: State, velocities: Tensor) -> State:
        """The state with these velocities rescaled, and the heat."""
        kinetic, drift = state.bodies.internal_motion(velocities)
        factor = self._factor(state, kinetic)
        thermal = transformed(state.bodies.start, velocities, factor, drift)
        heat_ev = state.heat_ev + torch.from_numpy((factor**2 - 1) * kinetic)
        return state.replace(velocities=thermal, heat_ev=heat_ev)

    def _factor(self, state: State, kinetic_ev: FloatArray) -> FloatArray:
        """(S,) α."""
        kept = math.exp(-self.timestep_fs / self.time_constant_fs)
        thermal = BOLTZMANN_EV_PER_K * at_time(self.temperature_k, state.time_fs + 0.5 * self.timestep_fs)
        first = state.streams.normal_per_system(1, "rescaling", step=state.step)[:, 0]
        rest = state.streams.chi_squared(self.degrees_of_freedom(state).numpy() - 1, "rescaling rest", step=state.step)
        return rescaling_factors(kinetic_ev, thermal, kept, np.ascontiguousarray(first), rest)

"""Constant temperature: Langevin dynamics by the BAOAB splitting."""

import math
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
import torch
from torch import Tensor

from adiabat.kernels.motion import rubbed
from adiabat.simulate.bodies import EV_PER_AMU_ANGSTROM_PER_FS_SQUARED
from adiabat.simulate.checks import require_positive
from adiabat.simulate.integrator import first_state
from adiabat.simulate.middle import Middle
from adiabat.simulate.schedule import Ramp, Target, at_time, of_system, require_target
from adiabat.simulate.state import State, all_degrees_of_freedom, temperature_k
from adiabat.typing import FloatArray
from adiabat.units import BOLTZMANN_EV_PER_K


@dataclass(frozen=True)
class LangevinBAOAB(Middle):
    """BAOAB (Leimkuhler and Matthews, Appl. Math. Res. Express 2013, 34, doi:10.1093/amrx/abs010).

        B  v <- v + (h/2) a
        A  x <- x + (h/2) v
        O  v <- c v + sqrt((1 - c²) k_B T / m) ξ,   c = exp(-γ h),   ξ standard normal
        A  x <- x + (h/2) v
        B  v <- v + (h/2) a

    In a harmonic well of frequency ω, positions have their exact variance k_B T / (m ω²) at every stable time step
    (Leimkuhler and Matthews, J. Chem. Phys. 138, 174102 (2013), doi:10.1063/1.4802990). Velocities at the end of a step
    have the variance (1 - ω²h²/4) k_B T / m; half a kick earlier or later it is exact, k_B T / m. Kinetic energy and
    temperature are therefore means over these two half kicks: K(v) + h² Σ m a² / 8.

    The thermostat acts on each atom, so momentum is not conserved and all 3n degrees of freedom are thermal.

    Attributes:
        timestep_fs: h.
        temperature_k: T.
        friction_per_fs: γ.
    """

    timestep_fs: float
    temperature_k: Target
    friction_per_fs: float
    conserves_momentum: ClassVar[bool] = False

    def __post_init__(self) -> None:
        require_positive("timestep_fs", self.timestep_fs)
        require_target("temperature_k", self.temperature_k, least=0.0)
        require_positive("friction_per_fs", self.friction_per_fs)

    init = staticmethod(first_state)

    def with_timestep(self, timestep_fs: float) -> Self:
        """The same with another time step."""
        return replace(self, timestep_fs=timestep_fs)

    def thermalised(self, state: State, velocities: Tensor) -> State:
        """The state with the velocities that O makes of these, and the heat."""
        bodies = state.bodies
        mixing = -math.expm1(-2 * self.friction_per_fs * self.timestep_fs)
        kelvin = at_time(self.temperature_k, state.time_fs + 0.5 * self.timestep_fs)
        widths = np.sqrt(mixing * BOLTZMANN_EV_PER_K / EV_PER_AMU_ANGSTROM_PER_FS_SQUARED * kelvin)
        thermal, gained = rubbed(
            bodies.start,
            velocities.numpy(),
            state.streams.normal(bodies.start, "thermostat", step=state.step),
            inverse_roots=bodies.inverse_roots,
            weights=bodies.weights,
            decay=math.exp(-self.friction_per_fs * self.timestep_fs),
            widths=widths,
        )
        heat_ev = state.heat_ev + torch.from_numpy(0.5 * EV_PER_AMU_ANGSTROM_PER_FS_SQUARED * gained)
        return state.replace(velocities=torch.from_numpy(thermal), heat_ev=heat_ev)

    def degrees_of_freedom(self, state: State) -> Tensor:
        """(S,) 3 for each atom that moves."""
        return all_degrees_of_freedom(state)

    def measured_temperature_k(self, state: State) -> Tensor:
        """(S,) K."""
        return temperature_k(self.kinetic_energy_ev(state), self.degrees_of_freedom(state))

    def mean_temperature_std_k(
        self,
        temperatures_k: FloatArray,
        *,
        interval_fs: float,
        settled_fs: float,
        degrees_of_freedom: int,
        system: int = 0,
    ) -> float | None:
        """K, in closed form; None while the start may not be forgotten, and of a ramp.

        At one instant the variance of the temperature is 2 T² / f. Its correlation time is 1 / (2γ) in every potential:
        d<E>/dt = -2γ (<K> - f k_B T / 2), which times δK(0) and integrated is <δE δK> = 2γ ∫ <δK(t) δK(0)> dt, and
        <δE δK> = <δK²>. Measured at intervals Δ, with half of the variance in vibrations faster than Δ, as in a harmonic
        solid, the mean of n temperatures has the variance (2 T² / f) / (n (1 - exp(-γΔ))).

        A start at another temperature is forgotten as exp(-γt); what is left of a start at rest must be less than half
        the error.
        """
        target = of_system(self.temperature_k, system)
        if isinstance(target, Ramp):
            return None
        count = len(temperatures_k)
        at_once = target * math.sqrt(2 / degrees_of_freedom)
        error = at_once / math.sqrt(count * -math.expm1(-self.friction_per_fs * interval_fs))
        through = self.friction_per_fs * interval_fs * count
        left = target * math.exp(-self.friction_per_fs * settled_fs) * -math.expm1(-through) / through
        return error if left <= 0.5 * error else None

"""Constant temperature: Langevin dynamics by the BAOAB splitting."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from adiabat.simulate.checks import require_not_negative, require_positive
from adiabat.simulate.integrator import Evaluator, first_state, kicked, moved
from adiabat.simulate.state import (
    EV_PER_AMU_ANGSTROM_PER_FS_SQUARED,
    State,
    all_degrees_of_freedom,
    kinetic_energy_ev,
    temperature_k,
)
from adiabat.system import Batch
from adiabat.typing import FloatArray
from adiabat.units import BOLTZMANN_EV_PER_K


@dataclass(frozen=True)
class LangevinBAOAB:
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
    temperature_k: float
    friction_per_fs: float

    def __post_init__(self) -> None:
        require_positive("timestep_fs", self.timestep_fs)
        require_not_negative("temperature_k", self.temperature_k)
        require_positive("friction_per_fs", self.friction_per_fs)

    init = staticmethod(first_state)

    def step(self, state: State, potential: Evaluator) -> State:
        """The state one time step later."""
        half = 0.5 * self.timestep_fs
        before = kicked(state.velocities, state, by_fs=half)
        thermal = self._thermalised(state, before)
        total = before + thermal
        arrived = moved(state, torch.add(state.batch.positions, total, alpha=half), potential)
        # The heat is a difference of kinetic energies: Σ m (v'² - v²) / 2 = Σ m (v' - v) (v' + v) / 2.
        gained = state.batch.sum_over_atoms(state.masses[:, None] * (thermal - before) * total).sum(-1)
        return arrived.replace(
            velocities=kicked(thermal, arrived, by_fs=half),
            heat_ev=torch.add(state.heat_ev, gained, alpha=0.5 * EV_PER_AMU_ANGSTROM_PER_FS_SQUARED),
            step=state.step + 1,
        )

    def degrees_of_freedom(self, batch: Batch) -> Tensor:
        """(S,) 3n."""
        return all_degrees_of_freedom(batch)

    def kinetic_energy_ev(self, state: State) -> Tensor:
        """(S,) eV: the mean of half a kick before and half a kick after this instant."""
        kick = 0.5 * self.timestep_fs * state.accelerations
        return self._energy(state, state.velocities) + self._energy(state, kick)

    def measured_temperature_k(self, state: State) -> Tensor:
        """(S,) K."""
        return temperature_k(self.kinetic_energy_ev(state), self.degrees_of_freedom(state.batch))

    def mean_temperature_std_k(
        self, temperatures_k: FloatArray, *, interval_fs: float, settled_fs: float, degrees_of_freedom: int
    ) -> float | None:
        """K, in closed form; None while the start may not be forgotten.

        At one instant the variance of the temperature is 2 T² / f. Its correlation time is 1 / (2γ) in every potential:
        d<E>/dt = -2γ (<K> - f k_B T / 2), which times δK(0) and integrated is <δE δK> = 2γ ∫ <δK(t) δK(0)> dt, and
        <δE δK> = <δK²>. Measured at intervals Δ, with half of the variance in vibrations faster than Δ, as in a harmonic
        solid, the mean of n temperatures has the variance (2 T² / f) / (n (1 - exp(-γΔ))).

        A start at another temperature is forgotten as exp(-γt); what is left of a start at rest must be less than half
        the error.
        """
        count = len(temperatures_k)
        at_once = self.temperature_k * math.sqrt(2 / degrees_of_freedom)
        error = at_once / math.sqrt(count * -math.expm1(-self.friction_per_fs * interval_fs))
        through = self.friction_per_fs * interval_fs * count
        left = self.temperature_k * math.exp(-self.friction_per_fs * settled_fs) * -math.expm1(-through) / through
        return error if left <= 0.5 * error else None

    def conserved_energy_ev(self, state: State) -> Tensor:
        """(S,) eV: potential and kinetic energy (of this instant) less the heat that the thermostat gave.

        Its change is the error of the time step alone (Bussi and Parrinello, Phys. Rev. E 75, 056707 (2007)).
        """
        return state.energy + self._energy(state, state.velocities) - state.heat_ev

    def _thermalised(self, state: State, velocities: Tensor) -> Tensor:
        decay = math.exp(-self.friction_per_fs * self.timestep_fs)
        mixing = -math.expm1(-2 * self.friction_per_fs * self.timestep_fs)
        thermal = mixing * BOLTZMANN_EV_PER_K * self.temperature_k / EV_PER_AMU_ANGSTROM_PER_FS_SQUARED
        noise = state.streams.normal(state.batch, "thermostat", step=state.step)
        return torch.add(torch.sqrt(thermal / state.masses)[:, None] * noise, velocities, alpha=decay)

    @staticmethod
    def _energy(state: State, velocities: Tensor) -> Tensor:
        return kinetic_energy_ev(state.batch, state.masses, velocities)

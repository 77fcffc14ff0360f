"""Constant temperature: Nosé-Hoover chains."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Self

import torch
from torch import Tensor

from adiabat.simulate.bodies import Bodies
from adiabat.simulate.chains import LENGTH, Chain, drawn_chain, thermal_energy_ev
from adiabat.simulate.checks import require_positive
from adiabat.simulate.integrator import Evaluator, first_state
from adiabat.simulate.middle import InternalMiddle
from adiabat.simulate.per_system import transformed
from adiabat.simulate.schedule import Target, at_time, require_target
from adiabat.simulate.state import State
from adiabat.simulate.streams import Streams
from adiabat.system import Batch
from adiabat.units import BOLTZMANN_EV_PER_K

VELOCITIES = "chain"


@dataclass(frozen=True)
class NoseHooverChains(InternalMiddle):
    """One chain (see `Chain`) on all motion about the centre of mass of a structure, in the middle scheme.

    Deterministic and time-reversible; the first velocities of the chains are drawn at the temperature.

    Attributes:
        timestep_fs: h.
        temperature_k: T.
        time_constant_fs: τ of the chains.
    """

    timestep_fs: float
    temperature_k: Target
    time_constant_fs: float

    def __post_init__(self) -> None:
        require_positive("timestep_fs", self.timestep_fs)
        require_target("temperature_k", self.temperature_k, above=0.0)
        require_positive("time_constant_fs", self.time_constant_fs)

    def init(
        self,
        batch: Batch,
        potential: Evaluator,
        *,
        velocities: Tensor,
        masses: Tensor,
        streams: Streams,
        fixed: Tensor | None = None,
    ) -> State:
        """The state before the first step."""
        state = first_state(batch, potential, velocities=velocities, masses=masses, streams=streams, fixed=fixed)
        chain = self._chain(state)
        drawn = drawn_chain(chain.masses, chain.mass_ev, streams.normal_per_system(LENGTH, "chains", step=0))
        return state.replace(variables={VELOCITIES: torch.from_numpy(drawn)})

    def with_timestep(self, timestep_fs: float) -> Self:
        """The same with another time step."""
        return replace(self, timestep_fs=timestep_fs)

    def thermalised(self, state: State, velocities: Tensor) -> State:
        """The state with what the chains make of these velocities."""
        kinetic, drift = state.bodies.internal_motion(velocities)
        thermal = BOLTZMANN_EV_PER_K * at_time(self.temperature_k, state.time_fs + 0.5 * self.timestep_fs)
        links, factor, stored = self._chain(state).propagated(
            state.variables[VELOCITIES].numpy(), 2 * kinetic, thermal, by_fs=self.timestep_fs
        )
        return state.replace(
            velocities=transformed(state.bodies.start, velocities, factor, drift),
            heat_ev=state.heat_ev - torch.from_numpy(stored),
            variables={**state.variables, VELOCITIES: torch.from_numpy(links)},
        )

    def conserved_energy_ev(self, state: State) -> Tensor:
        """(S,) eV: potential and kinetic energy, the chains' own, and what is stored in their positions."""
        chains = self._chain(state).energy_ev(state.variables[VELOCITIES].numpy())
        return super().conserved_energy_ev(state) + torch.from_numpy(chains)

    def _chain(self, state: State) -> Chain:
        return _made_chain(self, state.bodies)


@lru_cache(maxsize=8)
def _made_chain(integrator: NoseHooverChains, bodies: Bodies) -> Chain:
    """The same at every step."""
    start = thermal_energy_ev(at_time(integrator.temperature_k, 0.0), bodies.systems)
    return Chain(bodies.thermal_degrees, start, integrator.time_constant_fs)

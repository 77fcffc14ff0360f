"""A time step that is made as short as a state needs it."""

from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from adiabat.errors import SimulationError
from adiabat.simulate.checks import require_positive
from adiabat.simulate.integrator import Evaluator, Integrator
from adiabat.simulate.state import State
from adiabat.simulate.streams import Streams
from adiabat.system import Batch
from adiabat.typing import FloatArray

TAKEN, LIMIT = "timestep_fs", "timestep_limit_fs"
GROWTH = 1.2
"""Of the step from one to the next."""
SHORTEST = 1e-3
"""Of the longest step: who needs less meets no vibration, but a force that is wrong."""
RETRIES = 10


@dataclass(frozen=True)
class VariableTimestep:
    """Another integrator with steps no longer than its own, chosen for each state; for one structure at a time.

    1. No atom goes further than `largest_displacement` by its velocity and acceleration at the start of the step:
       |v| h + |a| h² / 2 <= d, which is what velocity Verlet moves it by.
    2. The conserved energy changes by no more than `energy_error_ev_per_atom`: a step that breaks this is taken again, half as long.
    3. A step is at most 1.2 times as long as the last.

    A step that depends on the state is not time-reversible: what velocity Verlet's error is bounded by, being symplectic, is lost, and
    energies of a long run drift, by what rule 2 allows for each step at most. So it is for what happens once (a collision, a start far
    from equilibrium, a way through a region that is badly known); averages over time are weighted by the time between frames, which
    are not equally far apart.

    Attributes:
        inner: What makes the steps; its own time step is the longest.
        largest_displacement: d in Å; None: no limit.
        energy_error_ev_per_atom: In one step; None: no limit.
    """

    inner: Integrator
    largest_displacement: float | None = None
    energy_error_ev_per_atom: float | None = None

    def __post_init__(self) -> None:
        for name in ("largest_displacement", "energy_error_ev_per_atom"):
            value = getattr(self, name)
            if value is not None:
                require_positive(name, value)

    @property
    def timestep_fs(self) -> float:
        """The longest."""
        return self.inner.timestep_fs

    def with_timestep(self, timestep_fs: float) -> Self:
        """The same with another longest step."""
        return replace(self, inner=self.inner.with_timestep(timestep_fs))

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
        state = self.inner.init(batch, potential, velocities=velocities, masses=masses, streams=streams, fixed=fixed)
        longest = torch.full((batch.n_systems,), self.timestep_fs, dtype=batch.positions.dtype)
        return state.replace(variables={**state.variables, TAKEN: longest, LIMIT: longest})

    def step(self, state: State, potential: Evaluator) -> State:
        """The state one step later; raises SimulationError where no step is short enough."""
        timestep_fs, before = self._chosen(state), self.conserved_energy_ev(state)
        for _ in range(RETRIES):
            self._require_long_enough(timestep_fs)
            inner = self.inner.with_timestep(timestep_fs)
            after = inner.step(state, potential)
            error = (inner.conserved_energy_ev(after) - before).abs() / state.batch.counts
            if self.energy_error_ev_per_atom is None or bool((error <= self.energy_error_ev_per_atom).all()):
                break
            timestep_fs = 0.5 * timestep_fs
        taken = torch.full_like(state.variables[TAKEN], timestep_fs)
        return after.replace(variables={**after.variables, TAKEN: taken})

    def degrees_of_freedom(self, state: State) -> Tensor:
        """(S,) as of the inner one."""
        return self.inner.degrees_of_freedom(state)

    def kinetic_energy_ev(self, state: State) -> Tensor:
        """(S,) eV, as of the inner one with the last step."""
        return self._last(state).kinetic_energy_ev(state)

    def measured_temperature_k(self, state: State) -> Tensor:
        """(S,) K, likewise."""
        return self._last(state).measured_temperature_k(state)

    def mean_temperature_std_k(
        self,
        temperatures_k: FloatArray,
        *,
        interval_fs: float,
        settled_fs: float,
        degrees_of_freedom: int,
        system: int = 0,
    ) -> float | None:
        """None: the temperatures are not equally far apart."""
        return None

    def conserved_energy_ev(self, state: State) -> Tensor:
        """(S,) eV, as of the inner one."""
        return self._last(state).conserved_energy_ev(state)

    def _last(self, state: State) -> Integrator:
        return self.inner.with_timestep(float(state.variables[TAKEN][0]))

    def _chosen(self, state: State) -> float:
        """fs, by rules 1 and 3 and the limit."""
        longest = min(self.timestep_fs, float(state.variables[LIMIT][0]), GROWTH * float(state.variables[TAKEN][0]))
        if self.largest_displacement is None:
            return longest
        speed = torch.linalg.vector_norm(state.velocities, dim=-1)
        force = torch.linalg.vector_norm(state.accelerations, dim=-1)
        root = (speed.square() + 2 * force * self.largest_displacement).sqrt()
        each = 2 * self.largest_displacement / (speed + root)  # without the difference of what is nearly equal
        return min(longest, float(each.min()))

    def _require_long_enough(self, timestep_fs: float) -> None:
        if not timestep_fs >= SHORTEST * self.timestep_fs:  # also where it is NaN
            raise SimulationError(
                f"the time step would have to be {timestep_fs:.2g} fs",
                rule=f"a step is at least {SHORTEST:g} of the longest, {self.timestep_fs:g} fs",
                mend="see whether the potential is right for this structure, or allow for larger displacements and errors",
            )


def limited(state: State, timestep_fs: float) -> State:
    """The state with another limit of the steps that follow."""
    limit = torch.full_like(state.variables[LIMIT], timestep_fs)
    return state.replace(variables={**state.variables, LIMIT: limit})

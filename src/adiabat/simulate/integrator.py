"""What an integrator is, and what it asks of a potential."""

from collections.abc import Collection
from typing import Protocol, cast

import torch
from torch import Tensor

from adiabat.kernels import motion
from adiabat.kernels.cells import volumes
from adiabat.potential import Prediction
from adiabat.simulate.bodies import Bodies
from adiabat.simulate.state import State
from adiabat.simulate.streams import Streams
from adiabat.system import Batch
from adiabat.typing import FloatArray, IntArray, Quantity
from adiabat.units import ACCELERATION_PER_EV_PER_ANGSTROM_PER_AMU


class Evaluator(Protocol):
    """What gives forces: a potential, or one that carries a neighbour list along (`simulate.Follower`)."""

    def __call__(self, batch: Batch, /, *, want: Collection[Quantity]) -> Prediction:
        """Energies, forces and whatever else is wanted of the batch."""
        ...


class Integrator(Protocol):
    """An equation of motion and its discretisation; its parameters are its fields, and it holds nothing else.

    Whatever changes from step to step is in the state, so that a run that is resumed from a state goes on as it would have.
    """

    @property
    def timestep_fs(self) -> float:
        """From one state to the next, in fs."""
        ...

    def with_timestep(self, timestep_fs: float) -> "Integrator":
        """The same with another time step; it goes on from the same states."""
        ...

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
        ...

    def step(self, state: State, potential: Evaluator) -> State:
        """The state one time step later."""
        ...

    def degrees_of_freedom(self, state: State) -> Tensor:
        """(S,) that share the thermal energy: temperature = 2 thermal energy / (f k_B)."""
        ...

    def kinetic_energy_ev(self, state: State) -> Tensor:
        """(S,) eV, the estimate that averages are made of."""
        ...

    def measured_temperature_k(self, state: State) -> Tensor:
        """(S,) K, at this instant."""
        ...

    def mean_temperature_std_k(
        self,
        temperatures_k: FloatArray,
        *,
        interval_fs: float,
        settled_fs: float,
        degrees_of_freedom: int,
        system: int = 0,
    ) -> float | None:
        """The standard error of the mean of a structure's temperatures, in K; None where too little is known for an honest one.

        Args:
            temperatures_k: (n,) K, measured at equal intervals.
            interval_fs: From one to the next.
            settled_fs: From step 0 to the first of them.
            degrees_of_freedom: Of the structure.
            system: Which structure of the batch it is.
        """
        ...

    def conserved_energy_ev(self, state: State) -> Tensor:
        """(S,) eV: what would not change if the time step were infinitely short."""
        ...


def first_state(
    batch: Batch,
    potential: Evaluator,
    *,
    velocities: Tensor,
    masses: Tensor,
    streams: Streams,
    fixed: Tensor | None = None,
) -> State:
    """The state of a batch at step 0: what every integrator begins with."""
    with_stress = bool((batch.pbc.all(-1) & (batch.volume > 0)).all())
    energy, forces, stress = _evaluated(batch, potential, with_stress=with_stress)
    return State(
        batch=batch,
        velocities=velocities.contiguous(),
        bodies=Bodies.of(batch, masses, fixed),
        energy=energy,
        forces=forces,
        stress=stress,
        heat_ev=batch.positions.new_zeros(batch.n_systems),
        step=0,
        streams=streams,
    )


def moved(state: State, positions: Tensor, potential: Evaluator, *, cell: Tensor | None = None) -> State:
    """The state with its atoms elsewhere, in another cell where one is given, and with the energy and forces that they have there."""
    before = state.batch
    batch = Batch(positions, before.cell if cell is None else cell, before.pbc, before.numbers, before.system)
    # A cached property: the determinant of a tensor costs as much as moving a thousand atoms.
    batch.__dict__["volume"] = before.volume if cell is None else torch.from_numpy(volumes(cell.numpy()))
    energy, forces, stress = _evaluated(batch, potential, with_stress=state.stress is not None)
    return state.replace(batch=batch, energy=energy, forces=forces, stress=stress)


def kicked(velocities: Tensor, state: State, *, by_fs: float) -> Tensor:
    """(N, 3) Å/fs: the velocities after the state's forces have acted on them for so long."""
    factor = by_fs * ACCELERATION_PER_EV_PER_ANGSTROM_PER_AMU
    return torch.from_numpy(motion.kicked(velocities.numpy(), state.forces.numpy(), state.bodies.inverse, factor))


def drifted(positions: Tensor, first: Tensor, second: Tensor, *, by_fs: float) -> Tensor:
    """(N, 3) Å: the positions after so long with each of two velocities."""
    return torch.from_numpy(motion.drifted(positions.numpy(), first.numpy(), second.numpy(), by_fs))


def carried(
    positions: Tensor,
    first: Tensor,
    second: Tensor,
    *,
    start: IntArray,
    by_fs: float,
    cell: FloatArray,
    way: FloatArray,
) -> Tensor:
    """(N, 3) Å: `drifted` in a cell that changes, positions times one matrix and the way times another.

    Args:
        positions: (N, 3) Å.
        first: (N, 3) Å/fs, as of `drifted`.
        second: Likewise.
        start: (S + 1,) where structures begin.
        by_fs: How long.
        cell: (S, 3, 3), or (S, 1, 1) for multiples of the unit matrix.
        way: Likewise.
    """
    velocities = first.numpy(), second.numpy()
    return torch.from_numpy(motion.carried(start, positions.numpy(), velocities, by_fs, cell=cell, way=way))


def dragged(
    velocities: Tensor, state: State, *, by_fs: float, about: FloatArray, cell: FloatArray, way: FloatArray
) -> Tensor:
    """(N, 3) Å/fs: `kicked` in a cell that changes, velocities about (S, 3) Å/fs times one matrix, kicks times another."""
    factor, bodies = by_fs * ACCELERATION_PER_EV_PER_ANGSTROM_PER_AMU, state.bodies
    found = motion.dragged(
        bodies.start,
        velocities.numpy(),
        about,
        state.forces.numpy(),
        bodies.inverse,
        factor,
        cell=cell,
        way=way,
    )
    return torch.from_numpy(found)


def counted(state: State, timestep_fs: float) -> dict[str, int | float]:
    """Step and time after one more step; times of equal steps are exact multiples."""
    step = state.step + 1
    steady = state.time_fs == state.step * timestep_fs
    return {"step": step, "time_fs": step * timestep_fs if steady else state.time_fs + timestep_fs}


def _evaluated(batch: Batch, potential: Evaluator, *, with_stress: bool) -> tuple[Tensor, Tensor, Tensor | None]:
    """Energy, forces, and the stress where every structure has one."""
    found = potential(batch, want=("energy", "forces", "stress") if with_stress else ("energy", "forces"))
    return cast(Tensor, found.energy), cast(Tensor, found.forces).contiguous(), found.stress

"""Pressure inside a cell, and what deforms it."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
from torch import Tensor

from adiabat.errors import SimulationError, StructureError
from adiabat.kernels.cells import Inside, volumes
from adiabat.simulate.integrator import Evaluator, first_state
from adiabat.simulate.state import State
from adiabat.simulate.streams import Streams
from adiabat.system import Batch
from adiabat.typing import FloatArray

CellShape: TypeAlias = Literal["isotropic", "flexible"]
"""What a barostat changes of a cell: its size alone, or its shape, too."""
LARGEST_STRAIN = 0.05
"""Of a cell in one step."""


def first_state_in_a_cell(
    batch: Batch,
    potential: Evaluator,
    *,
    velocities: Tensor,
    masses: Tensor,
    streams: Streams,
    fixed: Tensor | None = None,
) -> State:
    """The state before the first step; raises StructureError without a cell, or where atoms are fixed."""
    state = first_state(batch, potential, velocities=velocities, masses=masses, streams=streams, fixed=fixed)
    require_cell(state)
    return state


def require_small_strain(strain: FloatArray, *, mend: str) -> None:
    """Refuse a step in which a cell would change by more than 5 %; raises SimulationError."""
    largest = float(np.abs(strain).max())
    if not largest <= LARGEST_STRAIN:  # also where it is NaN
        raise SimulationError(
            f"the cell would be strained by {largest:.2g} in one step",
            rule=f"a barostat strains a cell by at most {LARGEST_STRAIN:g} in one step",
            mend=mend,
        )


def require_cell(state: State) -> None:
    """Refuse a barostat for structures without a volume, or with fixed atoms, which a cell would carry with it.

    Raises:
        StructureError: Naming what is missing.
    """
    for periodic, volume in zip(state.batch.pbc.tolist(), state.batch.volume.tolist(), strict=True):
        require_volume(periodic, volume)
    if state.fixed is not None:
        raise StructureError(
            f"{int(state.fixed.sum())} atoms are fixed",
            rule="a barostat moves all atoms with the cell",
            mend="run it in nvt, or remove the constraints",
        )


def require_volume(periodic: Sequence[bool], volume: float, *, place: str | None = None) -> None:
    """Refuse a barostat for a structure without a volume; raises StructureError."""
    if all(periodic) and volume > 0:
        return
    raise StructureError(
        f"is periodic along {list(periodic)}, with the volume {volume:g} Å³",
        place=place,
        rule="a barostat changes a cell: the structure is periodic in three directions and has a volume",
        mend="run it in nvt, or give it a periodic cell",
    )


def volumes_of(state: State) -> FloatArray:
    """(S,) Å³."""
    return volumes(state.batch.cell.numpy())


def inside(state: State, kinetic_ev: FloatArray) -> Inside:
    """What presses on the cells.

    Args:
        state: Where atoms and cells are.
        kinetic_ev: (S, 3, 3) or (S, 1, 1), of `Bodies.kinetic_tensor_ev`.
    """
    if state.stress is None:
        raise RuntimeError("a barostat began without a stress")
    return Inside(kinetic_ev, state.stress.numpy(), volumes_of(state))

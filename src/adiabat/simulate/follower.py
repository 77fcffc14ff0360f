"""Follower: a potential that follows atoms as they move."""

from collections.abc import Collection
from typing import Protocol

import numpy as np
import torch
from ase.data import chemical_symbols

from adiabat.errors import SimulationError
from adiabat.kernels import motion
from adiabat.kernels.cells import deformations
from adiabat.neighbors import SkinList
from adiabat.potential import Potential, Prediction
from adiabat.simulate.per_system import transformed
from adiabat.system import Batch, Graph
from adiabat.typing import IntArray, Quantity

LARGEST_STEP = 0.5
"""Å between two evaluations. Bonds are 1 to 3 Å long: forces half an angstrom apart have nothing to do with each other, so
whatever an integrator makes of them is no trajectory. Atoms at 5000 K move by 0.1 Å (hydrogen) or less in 1 fs."""

GONE_WRONG = "take a shorter time step, or a start nearer to equilibrium"


class Correction(Protocol):
    """What is added to a potential."""

    def applied(self, batch: Batch, found: Prediction) -> Prediction:
        """What the potential says, corrected."""
        ...


class Follower:
    """A potential with a neighbour list that is kept while it serves, and a limit on how far atoms go between evaluations.

    Attributes:
        potential: What is evaluated.
        neighbors: The list; its reference is part of a checkpoint.
        correction: Of an oracle, added to energies and forces.
    """

    def __init__(self, potential: Potential) -> None:
        self.potential = potential
        self.neighbors = SkinList(potential.cutoff)
        self.correction: Correction | None = None
        self._last: Batch | None = None
        self._start: IntArray = np.zeros(1, dtype=np.int64)

    @classmethod
    def resumed(cls, potential: Potential, *, reference: Batch, batch: Batch) -> "Follower":
        """As it was at `batch`, its last neighbour search having been at `reference`."""
        follower = cls(potential)
        follower.neighbors.search_at(follower._own(reference), follower._own(batch))
        follower._last, follower._start = batch, batch.start
        return follower

    @property
    def reference(self) -> Batch:
        """The batch of the last neighbour search."""
        if self.neighbors.reference is None:
            raise RuntimeError("nothing has been evaluated yet")
        return self.neighbors.reference

    def __call__(self, batch: Batch, /, *, want: Collection[Quantity]) -> Prediction:
        """Evaluate in the potential's type, on its device; what comes back is as the batch is.

        So atoms move in float64 whatever the potential's type: most of one step's displacement is lost in a float32.

        Raises:
            SimulationError: An atom has gone too far or nowhere.
            AdiabatError: What the potential has against the structure.
        """
        if self._last is not None:
            _require_small_step(self._start, self._last, batch)
        else:
            self._start = batch.start
        graph = self.graph(batch)
        found = self.potential(graph, want=want)
        self._last = batch
        if graph.batch is not batch:
            found = found.to(dtype=batch.positions.dtype, device=batch.positions.device)
        return found if self.correction is None else self.correction.applied(batch, found)

    def graph(self, batch: Batch) -> Graph:
        """The batch in the potential's type, on its device, with the edges of the list."""
        return self.neighbors.graph(self._own(batch))

    def _own(self, batch: Batch) -> Batch:
        own = (self.potential.dtype, self.potential.device)
        if (batch.positions.dtype, batch.positions.device) == own:
            return batch
        return batch.to(dtype=self.potential.dtype, device=self.potential.device)


def _require_small_step(start: IntArray, before: Batch, after: Batch) -> None:
    """Atoms that do nothing but go with their cell do not move."""
    same = after.cell is before.cell
    deformation = None if same else deformations(before.cell.numpy(), after.cell.numpy())[0]
    furthest = motion.furthest(start, before.positions.numpy(), after.positions.numpy(), deformation)
    if (furthest <= LARGEST_STEP).all():  # not where it is NaN
        return
    carried = before.positions if deformation is None else transformed(start, before.positions, deformation)
    moved = torch.linalg.vector_norm(after.positions - carried, dim=-1)
    atom = int(torch.where(torch.isnan(moved), torch.inf, moved).argmax())
    raise SimulationError(
        f"{name_of_atom(after, atom)} moved by {float(moved[atom]):.3g} Å in one step",
        rule=f"no atom moves by more than {LARGEST_STEP} Å in one step",
        mend=GONE_WRONG,
    )


def name_of_atom(batch: Batch, atom: int) -> str:
    """An atom of a batch, for people: counted within its structure."""
    system = int(batch.system[atom])
    symbol = chemical_symbols[int(batch.numbers[atom])]
    name = f"atom {atom - int((batch.system < system).sum())} ({symbol})"
    return name if batch.n_systems == 1 else f"{name} of structure {system}"

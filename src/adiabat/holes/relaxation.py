"""Relaxation of many small structures at once, their cells fixed, by FIRE with capped steps; one that is done leaves the batch."""

from dataclasses import dataclass, replace
from math import inf
from typing import Self, cast

import torch
from torch import Tensor

from adiabat.holes.contacts import NEAREST
from adiabat.neighbors import neighbor_graph
from adiabat.potential import Potential
from adiabat.potential.fire import Fire
from adiabat.system import Batch

FIRST_STEP, LONGEST_STEP = 0.05, 0.25
"""Of time, for atoms of unit mass with forces in eV/Å."""

LONGEST_MOVE = 0.1
"""Å in one step, so that no atom jumps over what is to be found."""

SNAPSHOT_STEPS = 30
"""Between one snapshot and the next."""


@dataclass(frozen=True)
class Relaxation:
    """Where structures came to rest.

    Attributes:
        batch: The structures.
        energy_ev: (S,).
        largest_force: (S,) eV/Å.
        steps: (S,) how many were made.
        snapshots: (N, 3) each: the atoms after every `SNAPSHOT_STEPS` steps. One that is done stays where it is.
    """

    batch: Batch
    energy_ev: Tensor
    largest_force: Tensor
    steps: Tensor
    snapshots: tuple[Tensor, ...]


@dataclass(frozen=True)
class _Descent:
    """Structures on their way down.

    Attributes:
        batch: Those that still move.
        atom: (N,) the places of their atoms in the batch that all began as.
        structure: (S,) the places of the structures there.
        fire: How they move.
    """

    batch: Batch
    atom: Tensor
    structure: Tensor
    fire: Fire

    @classmethod
    def begin(cls, batch: Batch) -> Self:
        fire = Fire.begin(
            batch.positions, batch.system, batch.n_systems, first_step=FIRST_STEP, longest_step=LONGEST_STEP
        )
        return cls(
            batch,
            atom=torch.arange(batch.n_atoms, device=batch.positions.device),
            structure=torch.arange(batch.n_systems, device=batch.positions.device),
            fire=fire,
        )

    def only(self, kept: Tensor) -> Self:
        """Without the structures that are not kept, (S,)."""
        batch, atoms = self.batch, kept[self.batch.system]
        place = kept.cumsum(0) - 1
        fewer = batch.replace(
            positions=batch.positions[atoms],
            cell=batch.cell[kept],
            pbc=batch.pbc[kept],
            numbers=batch.numbers[atoms],
            system=place[batch.system[atoms]],
        )
        return type(self)(fewer, self.atom[atoms], self.structure[kept], self.fire.only(kept))

    def moved(self, forces: Tensor) -> Self:
        """One step."""
        fire, move = self.fire.step(forces, self._shortened)
        return replace(self, batch=self.batch.replace(positions=self.batch.positions + move), fire=fire)

    def _shortened(self, move: Tensor) -> Tensor:
        longest = _largest(self.batch, torch.linalg.vector_norm(move, dim=-1))
        return LONGEST_MOVE / longest.clamp(min=LONGEST_MOVE)


def relax(potential: Potential, batch: Batch, *, force_tolerance: float = 0.1, steps: int = 300) -> Relaxation:
    """Follow the forces until none is above the tolerance, or atoms have collapsed.

    Args:
        potential: What is followed.
        batch: Where to begin.
        force_tolerance: eV/Å.
        steps: At most.
    """
    way, positions = _Descent.begin(batch), batch.positions.clone()
    energy, largest, made = (batch.positions.new_zeros(batch.n_systems) for _ in range(3))
    snapshots: list[Tensor] = []
    for step in range(steps + 1):
        graph = neighbor_graph(way.batch, potential.cutoff)
        found = potential(graph, want=("energy", "forces"))
        forces = cast(Tensor, found.forces)
        strongest = _largest(way.batch, torch.linalg.vector_norm(forces, dim=-1))
        positions[way.atom], energy[way.structure] = way.batch.positions, cast(Tensor, found.energy)
        largest[way.structure], made[way.structure] = strongest, float(step)
        if step and step % SNAPSHOT_STEPS == 0:
            snapshots.append(positions.clone())
        moving = (strongest > force_tolerance) & (strongest < inf) & ~_collapsed(way.batch)
        if not bool(moving.any()):
            break
        way = way.moved(forces).only(moving)
    return Relaxation(batch.replace(positions=positions), energy, largest, made.long(), tuple(snapshots))


def _largest(batch: Batch, per_atom: Tensor) -> Tensor:
    """(N,) not negative to (S,)."""
    return per_atom.new_zeros(batch.n_systems).scatter_reduce(0, batch.system, per_atom, "amax")


def _collapsed(batch: Batch) -> Tensor:
    """(S,) whether two atoms are nearer than `NEAREST`: fallen into a hole, and left there."""
    near = neighbor_graph(batch, NEAREST)
    found = torch.zeros(batch.n_systems, dtype=torch.bool, device=near.center.device)
    found[batch.system[near.center]] = True
    return found

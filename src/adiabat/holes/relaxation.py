"""Relaxation of many small structures at once, their cells fixed, by FIRE with capped steps.

E. Bitzek et al., Phys. Rev. Lett. 97, 170201 (2006). Each structure has its own time step and mixing; one that is done
leaves the batch.
"""

from dataclasses import dataclass, replace
from math import inf
from typing import Self, cast

import torch
from torch import Tensor

from adiabat.holes.contacts import NEAREST
from adiabat.neighbors import neighbor_graph
from adiabat.potential import Potential
from adiabat.system import Batch, Graph

FIRST_STEP, LONGEST_STEP = 0.05, 0.25
"""Of time, for atoms of unit mass with forces in eV/Å."""

PATIENCE, FASTER, SLOWER = 5, 1.1, 0.5
FIRST_MIXING, LESS_MIXING = 0.1, 0.99

LONGEST_MOVE = 0.1
"""Å in one step, so that no atom jumps over what is to be found."""

SNAPSHOT_STEPS = 30
"""Between one snapshot and the next."""

TINY = 1e-30
"""In place of a force that is zero."""


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
        velocity: (N, 3).
        time_step: (S,).
        mixing: (S,) how much the velocity turns towards the force.
        downhill: (S,) steps since it last went uphill.
    """

    batch: Batch
    atom: Tensor
    structure: Tensor
    velocity: Tensor
    time_step: Tensor
    mixing: Tensor
    downhill: Tensor

    @classmethod
    def begin(cls, batch: Batch) -> Self:
        one = batch.positions.new_ones(batch.n_systems)
        return cls(
            batch,
            atom=torch.arange(batch.n_atoms, device=batch.positions.device),
            structure=torch.arange(batch.n_systems, device=batch.positions.device),
            velocity=torch.zeros_like(batch.positions),
            time_step=FIRST_STEP * one,
            mixing=FIRST_MIXING * one,
            downhill=0 * one,
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
        of_atoms = (self.atom[atoms], self.structure[kept], self.velocity[atoms])
        return type(self)(fewer, *of_atoms, self.time_step[kept], self.mixing[kept], self.downhill[kept])

    def moved(self, forces: Tensor) -> Self:
        """One step."""
        batch, system = self.batch, self.batch.system
        forward = batch.sum_over_atoms((forces * self.velocity).sum(-1)) > 0
        speed, force = (_norm(batch, values) for values in (self.velocity, forces))
        turned = (self.mixing * speed / force.clamp(min=TINY))[system, None] * forces
        velocity = torch.where(
            forward[system, None], (1 - self.mixing)[system, None] * self.velocity + turned, torch.zeros_like(forces)
        )
        faster = forward & (self.downhill > PATIENCE)
        time_step = torch.where(faster, (self.time_step * FASTER).clamp(max=LONGEST_STEP), self.time_step)
        time_step = torch.where(forward, time_step, time_step * SLOWER)
        mixing = torch.where(faster, self.mixing * LESS_MIXING, self.mixing)
        velocity = velocity + time_step[system, None] * forces
        move = time_step[system, None] * velocity
        longest = _largest(batch, torch.linalg.vector_norm(move, dim=-1))
        capped = (LONGEST_MOVE / longest.clamp(min=LONGEST_MOVE))[system, None]
        return replace(
            self,
            batch=batch.replace(positions=batch.positions + capped * move),
            velocity=capped * velocity,
            time_step=time_step,
            mixing=torch.where(forward, mixing, FIRST_MIXING),
            downhill=torch.where(forward, self.downhill + 1, 0),
        )


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
        moving = (strongest > force_tolerance) & (strongest < inf) & ~_collapsed(graph)
        if not bool(moving.any()):
            break
        way = way.moved(forces).only(moving)
    return Relaxation(batch.replace(positions=positions), energy, largest, made.long(), tuple(snapshots))


def _largest(batch: Batch, per_atom: Tensor) -> Tensor:
    """(N,) not negative to (S,)."""
    return per_atom.new_zeros(batch.n_systems).scatter_reduce(0, batch.system, per_atom, "amax")


def _norm(batch: Batch, vectors: Tensor) -> Tensor:
    """(S,) over all atoms of a structure."""
    return batch.sum_over_atoms(vectors.square().sum(-1)).sqrt()


def _collapsed(graph: Graph) -> Tensor:
    """(S,) whether two atoms are nearer than `NEAREST`: fallen into a hole, and left there."""
    near = graph.within(NEAREST)
    found = torch.zeros(graph.batch.n_systems, dtype=torch.bool, device=near.center.device)
    found[graph.batch.system[near.center]] = True
    return found

"""Edges of many frames at once, periodic images included."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from adiabat.neighbors import neighbor_graph
from adiabat.properties.observables.trajectory import Trajectory
from adiabat.runs import track
from adiabat.system import Batch
from adiabat.typing import FloatArray, IntArray

EDGES_AT_ONCE = 2_000_000
"""Directed edges of the frames that are searched together: some 100 MB."""

FURTHEST = 10.0
"""Å, where structure is looked at unless something else is asked for."""


@dataclass(frozen=True)
class FrameEdges:
    """All directed edges of a few frames, each bond from either end.

    Attributes:
        first: The first of the frames.
        frames: How many they are.
        frame: (E,) counted from the first of the trajectory.
        center: (E,) atom.
        neighbor: (E,) atom.
        vector: (E, 3) Å.
        distance: (E,) Å.
    """

    first: int
    frames: int
    frame: IntArray
    center: IntArray
    neighbor: IntArray
    vector: FloatArray
    distance: FloatArray


def default_reach(trajectory: Trajectory) -> float:
    """Å: half of the least distance between opposite faces of any frame's cell, 10 Å at most; further out are images of the same."""
    inverse = np.linalg.inv(trajectory.cells)
    heights = 1 / np.linalg.norm(inverse, axis=1)
    return min(FURTHEST, 0.5 * float(heights.min()))


def edges_of(trajectory: Trajectory, reach: float, *, what: str, quiet: bool = False) -> Iterator[FrameEdges]:
    """The edges of all frames, shorter than `reach` (Å), a few frames at a time."""
    count, atoms = trajectory.n_frames, trajectory.n_atoms
    density = atoms / float(trajectory.volumes.mean())
    per_frame = atoms * (1 + density * 4.19 * reach**3)
    at_once = max(1, int(EDGES_AT_ONCE / per_frame))
    starts = range(0, count, at_once)
    for start in track(starts, what, quiet=quiet):
        chosen = slice(start, min(start + at_once, count))
        yield _edges(trajectory, chosen, reach)


def _edges(trajectory: Trajectory, chosen: slice, reach: float) -> FrameEdges:
    frames, atoms = chosen.stop - chosen.start, trajectory.n_atoms
    batch = Batch(
        positions=torch.from_numpy(trajectory.positions[chosen].reshape(-1, 3)),
        cell=torch.from_numpy(trajectory.cells[chosen]),
        pbc=torch.from_numpy(trajectory.pbc).expand(frames, 3),
        numbers=torch.from_numpy(np.tile(trajectory.numbers, frames)),
        system=torch.repeat_interleave(torch.arange(frames), atoms),
    )
    graph = neighbor_graph(batch, reach)
    center, neighbor, vector = graph.center.numpy(), graph.neighbor.numpy(), graph.vectors().numpy()
    return FrameEdges(
        first=chosen.start,
        frames=frames,
        frame=chosen.start + center // atoms,
        center=center % atoms,
        neighbor=neighbor % atoms,
        vector=vector,
        distance=np.linalg.norm(vector, axis=1),
    )

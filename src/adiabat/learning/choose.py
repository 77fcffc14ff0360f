"""Acquisition: which of the frames that a potential is unsure of say most of its coefficients."""

from collections.abc import Sequence

import torch
from torch import Tensor

from adiabat.errors import PropertyUnavailable
from adiabat.learning.explore import Frame
from adiabat.neighbors import neighbor_graph
from adiabat.potential import Potential
from adiabat.system import Batch, Labelled
from adiabat.uncertainty import choose_d_optimal

POOL = 60
"""Frames, at most, among which a batch is chosen: the least sure ones."""


def choose(frames: Sequence[Frame], potential: Potential, count: int) -> list[Labelled]:
    """The most informative of the frames: those that it is not sure of before all others, D-optimally within a batch.

    Args:
        frames: That were judged.
        potential: With a posterior.
        count: How many at the most.
    """
    unsure = sorted((f for f in frames if not f.sure), key=lambda f: -f.force_std_ev_per_angstrom)[:POOL]
    rest = sorted((f for f in frames if f.sure), key=lambda f: -f.force_std_ev_per_angstrom)
    pool = [frame.structure for frame in (unsure if len(unsure) >= count else [*unsure, *rest[: POOL - len(unsure)]])]
    if len(pool) <= count:
        return pool
    deviations = potential.linear_deviations
    if deviations is None:
        raise PropertyUnavailable(
            "frames were to be chosen by a potential without a posterior",
            place="learning",
            rule="what a label would say is told by the posterior of a linear model",
            mend="train with --model ace",
        )
    posterior = deviations.uncertainty.posterior
    rows = [_rows(potential, structure, posterior.noise["forces"]) for structure in pool]
    return [pool[place] for place in choose_d_optimal(rows, posterior.covariance, count).chosen]


def _rows(potential: Potential, structure: Labelled, noise: float) -> Tensor:
    """(3 n, columns) of the forces, in units of their noise."""
    deviations = potential.linear_deviations
    assert deviations is not None
    graph = neighbor_graph(Batch.from_atoms(structure.atoms), deviations.model.cutoff)
    return deviations.model.design_rows(graph).forces / torch.tensor(noise)

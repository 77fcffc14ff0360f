"""A few directions by which a potential estimates how sure its energies are, at little cost."""

from collections.abc import Sequence

import torch
from torch import Tensor

from adiabat.neighbors import neighbor_graph
from adiabat.potential.feature_rows import feature_rows
from adiabat.runs import track
from adiabat.system import Batch
from adiabat.training.prepare import Preparation
from adiabat.uncertainty import LinearUncertainty, Projection, project

SAMPLE = 2000
"""Atoms, about, by which directions are chosen."""


def fit_projection(
    prepared: Preparation, uncertainty: LinearUncertainty, structures: Sequence[int], *, quiet: bool = False
) -> Projection:
    """Directions chosen by atoms of the training, and by means over its structures.

    Args:
        prepared: The model and its data.
        uncertainty: Of the model's coefficients, calibrated for energies.
        structures: Indices of structures to draw atoms from.
        quiet: Show no progress.
    """
    each = -(-SAMPLE // len(structures))
    chosen = track(structures, "learning what energies hang on", quiet=quiet)
    sample = torch.cat([_rows(prepared, index, each) for index in chosen])
    root = uncertainty.root("energy")
    directions = project(root, sample)
    variance = root.whiten(sample).square().sum(1)
    posterior = uncertainty.posterior.covariance.variance(sample)
    return Projection(directions, float((posterior / variance).median()))


def _rows(prepared: Preparation, index: int, atoms: int) -> Tensor:
    """(atoms or fewer, and one, columns) of a structure."""
    batch = Batch.from_atoms(prepared.fitted[index].atoms)
    rows = feature_rows(prepared.model, neighbor_graph(batch, prepared.model.cutoff))
    drawn = torch.randperm(len(rows), generator=torch.Generator().manual_seed(index))[:atoms]
    return torch.cat([rows[drawn], rows.mean(0, keepdim=True)])

"""A few directions by which a potential estimates how sure its energies are, at little cost."""

from collections.abc import Sequence

import torch
from torch import Tensor

from adiabat.neighbors import neighbor_graph
from adiabat.potential.linear_terms import LinearTerms
from adiabat.runs import track
from adiabat.system import Batch, Labelled
from adiabat.uncertainty import LinearUncertainty, Projection, project

SAMPLE = 2000
"""Atoms, about, by which directions are chosen."""


def fit_projection(
    model: LinearTerms, uncertainty: LinearUncertainty, structures: Sequence[Labelled], *, quiet: bool = False
) -> Projection:
    """Directions chosen by atoms of the training, and by means over its structures.

    Args:
        model: What was learned.
        uncertainty: Of its coefficients, calibrated for energies.
        structures: To draw atoms from.
        quiet: Show no progress.
    """
    each = -(-SAMPLE // len(structures))
    chosen = track(structures, "learning what energies hang on", quiet=quiet)
    sample = torch.cat([_rows(model, one, each, seed) for seed, one in enumerate(chosen)])
    root = uncertainty.root("energy")
    directions = project(root, sample)
    variance = root.whiten(sample).square().sum(1)
    posterior = uncertainty.posterior.covariance.variance(sample)
    return Projection(directions, float((posterior / variance).median()))


def _rows(model: LinearTerms, structure: Labelled, atoms: int, seed: int) -> Tensor:
    """(atoms or fewer, and one, columns) of a structure."""
    rows = model.atom_rows(neighbor_graph(Batch.from_atoms(structure.atoms), model.cutoff))
    drawn = torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed))[:atoms]
    return torch.cat([rows[drawn], rows.mean(0, keepdim=True)])

"""A map of structures: where labels were spent, among all that simulations met."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from ase import Atoms

from adiabat.neighbors import neighbor_graph
from adiabat.potential import Potential
from adiabat.potential.feature_rows import feature_rows
from adiabat.system import Batch, LinearModel
from adiabat.typing import FloatArray

AT_ONCE = 20
"""Structures whose features are in memory together."""
CONSTANT = 1e-9
"""A descriptor that varies less, relative to its size, says nothing."""


@dataclass(frozen=True)
class DescriptorMap:
    """Structures in the plane in which their descriptors differ most.

    Attributes:
        coordinates: (S, 2) principal components, in standard deviations of a descriptor.
        shares: Of the variance that each of the two holds.
    """

    coordinates: FloatArray
    shares: tuple[float, float]


def map_structures(structures: Sequence[Atoms], potential: Potential) -> DescriptorMap | None:
    """Principal components of structures' mean features, each feature scaled to a variance of one.

    Args:
        structures: Three or more, that differ; else there is no plane.
        potential: With a linear part, whose features are taken.
    """
    models = [part for part in potential.parts if isinstance(part, LinearModel)]
    if len(models) != 1 or len(structures) < 3:
        return None
    values = _scaled(_descriptors(structures, models[0]))
    if not values.any():
        return None
    left, singular, _ = np.linalg.svd(values, full_matrices=False)
    variance = singular**2 / np.square(singular).sum()
    both = np.zeros((len(structures), 2))
    both[:, : min(2, len(singular))] = (left * singular)[:, :2]
    first, second = np.pad(variance, (0, 1))[:2]
    return DescriptorMap(both / np.sqrt(values.shape[1]), (float(first), float(second)))


def _descriptors(structures: Sequence[Atoms], model: LinearModel) -> FloatArray:
    """(S, columns) each species' features, summed over its atoms and divided by the number of all atoms."""
    found = []
    with torch.no_grad():
        for first in range(0, len(structures), AT_ONCE):
            batch = Batch.from_atoms(structures[first : first + AT_ONCE])
            rows = feature_rows(model, neighbor_graph(batch, model.cutoff))
            found.append((batch.sum_over_atoms(rows) / batch.counts[:, None]).numpy())
    return np.concatenate(found)


def _scaled(descriptors: FloatArray) -> FloatArray:
    spread, size = descriptors.std(0), np.abs(descriptors).max(0)
    telling = spread > CONSTANT * np.maximum(size, CONSTANT)
    kept = descriptors[:, telling]
    return (kept - kept.mean(0)) / spread[telling]

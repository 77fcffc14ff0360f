"""A map of structures: where labels were spent, among all that simulations met."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms

from adiabat.neighbors import neighbor_graph
from adiabat.potential import Potential
from adiabat.potential.linear_terms import LinearTerms
from adiabat.system import Batch
from adiabat.typing import FloatArray

AT_ONCE = 20
"""Structures whose features are in memory together."""
CONSTANT = 1e-9
"""A descriptor that varies less, relative to its size, says nothing."""


@dataclass(frozen=True)
class DescriptorMap:
    """Structures in the plane in which the descriptors of some of them differ most.

    Attributes:
        coordinates: (S, 2) of these, along their principal components; a descriptor's standard deviation is one.
        others: (O, 2) of the others.
        shares: Of the variance that each of the two holds.
    """

    coordinates: FloatArray
    others: FloatArray
    shares: tuple[float, float]


def map_structures(structures: Sequence[Atoms], others: Sequence[Atoms], potential: Potential) -> DescriptorMap | None:
    """Principal components of structures' mean features, each feature scaled to a variance of one; others on the same map.

    Args:
        structures: Three or more, that differ; else there is no plane.
        others: Of the same species; what they are does not change the plane.
        potential: With a linear part, whose features are taken.
    """
    model = LinearTerms.of(potential.parts)
    if model is None or len(structures) < 3:
        return None
    descriptors = _descriptors([*structures, *others], model)
    own = descriptors[: len(structures)]
    spread = own.std(0)
    telling = spread > CONSTANT * np.maximum(np.abs(own).max(0), CONSTANT)
    if telling.sum() < 2:
        return None
    scaled = (descriptors[:, telling] - own[:, telling].mean(0)) / spread[telling]
    _, singular, axes = np.linalg.svd(scaled[: len(structures)], full_matrices=False)
    coordinates = scaled @ axes[:2].T / np.sqrt(telling.sum())
    first, second = (singular**2 / np.square(singular).sum())[:2]
    shares = (float(first), float(second))
    return DescriptorMap(coordinates[: len(structures)], coordinates[len(structures) :], shares)


def _descriptors(structures: Sequence[Atoms], model: LinearTerms) -> FloatArray:
    """(S, columns) each species' features, summed over its atoms and divided by the number of all atoms."""
    found = []
    for first in range(0, len(structures), AT_ONCE):
        batch = Batch.from_atoms(structures[first : first + AT_ONCE])
        rows = model.atom_rows(neighbor_graph(batch, model.cutoff))
        found.append((batch.sum_over_atoms(rows) / batch.counts[:, None]).numpy())
    return np.concatenate(found)

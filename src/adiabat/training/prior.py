"""What is expected of a potential before it has seen a label: that it does nothing wild where there are no data."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from ase import Atoms

from adiabat.models import LinearACE
from adiabat.neighbors import neighbor_graph
from adiabat.runs import track
from adiabat.system import Batch
from adiabat.typing import FloatArray

LENGTH = 1.0
"""Å. What turns the size of a function into the size of its slope, where both count."""
AT_ONCE = 8
"""Packings in one batch."""
RIDGE = 1e-3
"""Of each function beside the forces; it keeps sums over functions within what float32 can carry."""


@dataclass(frozen=True)
class PackingPrior:
    """A Gaussian prior of the coefficients by what they do to random packings.

    Labels fix what a potential does near them. What they leave open is decided by the prior, and a prior that looks at one
    function at a time lets them add up to forces of hundreds of eV/Å between atoms that are nearer than in the data, or at
    a surface where there was none. So this one looks at the sum: forces in random packings, as if each had been labelled
    zero, with a large noise (beyond the baseline, whose repulsion is not part of it). A faint ridge on each function, by its
    size in the packings, holds what forces do not see.

    Attributes:
        forces: (columns, columns) mean of w wᵀ over the force rows w.
        sizes: (columns,) mean square of each function and of its slopes.
        rows: How many force rows the mean is over.
    """

    forces: FloatArray
    sizes: FloatArray
    rows: int

    def precision(self, strength: float) -> FloatArray:
        """(columns, columns), relative to the data as `solve` takes it."""
        precision = strength * self.forces
        precision[np.diag_indices_from(precision)] += strength * RIDGE * self.sizes
        return precision

    def joined_by(self, gram: FloatArray, weight: float) -> Self:
        """With the sum of w wᵀ over further rows w, each of which counts `weight` times one of those that are there."""
        return replace(self, forces=self.forces + weight / self.rows * gram)


def gram_of(model: LinearACE, structures: Sequence[Atoms]) -> FloatArray:
    """(columns, columns) sum of w wᵀ over the force rows w of structures, and of one by their volumes where they have one.

    The latter is the change of energy per atom with the logarithm of lengths: it sees crystals in which all forces cancel.
    """
    columns = model.basis.n_functions * len(model.species)
    total = np.zeros((columns, columns))
    for atoms in structures:
        found = model.design_rows(neighbor_graph(Batch.from_atoms([atoms]), model.cutoff))
        rows = found.forces.numpy()
        if atoms.pbc.all():
            by_volume = found.virial.diagonal(dim1=0, dim2=1).sum(-1).numpy() / (len(atoms) * LENGTH)
            rows = np.vstack([rows, by_volume])
        total += rows.T @ rows
    return total


def packing_prior(model: LinearACE, packings: Sequence[Atoms], *, quiet: bool = False) -> PackingPrior:
    """The prior by these packings.

    Args:
        model: Its coefficients play no part.
        packings: Of species that the model knows.
        quiet: Show no progress.
    """
    n_functions, n_species = model.basis.n_functions, len(model.species)
    forces = np.zeros((n_functions * n_species, n_functions * n_species))
    values, atoms, count = np.zeros((n_species, n_functions)), np.zeros(n_species), 0
    parts = [packings[first : first + AT_ONCE] for first in range(0, len(packings), AT_ONCE)]
    for part in track(parts, "preparing the prior from random packings", quiet=quiet):
        batch = Batch.from_atoms(part)
        rows = model.design_rows(neighbor_graph(batch, model.cutoff))
        species = torch.searchsorted(torch.tensor(model.species), batch.numbers).numpy()
        np.add.at(values, species, rows.features.numpy() ** 2)
        atoms += np.bincount(species, minlength=n_species)
        force_rows = rows.forces.numpy()
        forces += force_rows.T @ force_rows
        count += len(force_rows)
    forces /= count
    sizes = np.diag(forces) + (values / np.maximum(atoms, 1)[:, None]).ravel() / LENGTH**2
    seen = sizes > 1e-24 * sizes.max()
    return PackingPrior(forces, np.where(seen, sizes, sizes[seen].mean()), count)

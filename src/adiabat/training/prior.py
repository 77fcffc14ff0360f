"""What is expected of a potential before it has seen a label: that it does nothing wild where there are no data."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Self

import numpy as np
import torch
from ase import Atoms
from torch import Tensor

from adiabat.models import LinearACE
from adiabat.neighbors import neighbor_graph
from adiabat.runs import side_by_side, track
from adiabat.system import Batch, DesignRows
from adiabat.training.block_matrix import BlockMatrix
from adiabat.training.regression import PriorPrecision
from adiabat.training.rows_at_once import rows_at_once
from adiabat.typing import FloatArray, IntArray

LENGTH = 1.0
"""Å. What turns the size of a function into the size of its slope, where both count."""
AT_ONCE = 8
"""Packings in one batch."""
RIDGE = 1e-3
"""Of each function beside the forces; it keeps sums over functions within what float32 can carry."""
WEAKEST, WEAKEST_OF_MOLECULES = 1e-5, 1e-9
"""Relative to the data. Left-out structures cannot tell a prior from a weaker one where they hold nothing dense or torn: with this
strength silicon had no holes between its atoms, with a tenth some, with a thousandth many. Random packings of a molecule's atoms are
nothing like the molecule, and that there be no forces in them holds its bonds as well: acetylacetone's forces were wrong by
28 meV/Å with the strength for solids, by 20 with that for molecules, whose holes are left to mending."""


@dataclass(frozen=True)
class PackingPrior:
    """A Gaussian prior of the coefficients by what they do to random packings.

    Labels fix what a potential does near them. What they leave open is decided by the prior, and a prior that looks at one
    function at a time lets them add up to forces of hundreds of eV/Å between atoms that are nearer than in the data, or at
    a surface where there was none. So this one looks at the sum: forces in random packings, as if each had been labelled
    zero, with a large noise (beyond the baseline, whose repulsion is not part of it). A faint ridge on each function, by its
    size in the packings, holds what forces do not see.

    Attributes:
        forces: Mean of w wᵀ over the force rows w.
        sizes: (columns,) mean square of each function and of its slopes.
        rows: How many force rows the mean is over.
        weakest: Strength below which none is looked for.
    """

    forces: BlockMatrix
    sizes: FloatArray
    rows: int
    weakest: float = WEAKEST

    def precision(self, strength: float) -> PriorPrecision:
        """Relative to the data, as `solve` takes it."""
        return PriorPrecision(self.forces, strength, strength * RIDGE * self.sizes)

    def joined_by(self, gram: BlockMatrix, weight: float) -> Self:
        """With the sum of w wᵀ over further rows w, each of which counts `weight` times one of those that are there."""
        return replace(self, forces=self.forces.plus(gram, weight / self.rows))


def gram_of(model: LinearACE, structures: Sequence[Atoms]) -> BlockMatrix:
    """Sum of w wᵀ over the force rows w of structures, and of one by their volumes where they have one.

    The latter is the change of energy per atom with the logarithm of lengths: it sees crystals in which all forces cancel.
    """
    total, n_species = BlockMatrix(model.basis.n_functions), len(model.species)
    for part in _parts(structures, columns=n_species * model.basis.n_functions):
        rows = torch.cat(side_by_side([partial(_force_and_volume_rows, model, atoms) for atoms in part]))
        side_by_side(total.adding(rows, range(n_species)))
    return total


def packing_prior(
    model: LinearACE, packings: Sequence[Atoms], *, molecules: bool = False, quiet: bool = False
) -> PackingPrior:
    """The prior by these packings.

    Args:
        model: Its coefficients play no part.
        packings: Of species that the model knows.
        molecules: Whether no structure of the data is periodic.
        quiet: Show no progress.
    """
    n_functions, n_species = model.basis.n_functions, len(model.species)
    forces, count = BlockMatrix(n_functions), 0
    values, atoms = np.zeros((n_species, n_functions)), np.zeros(n_species, dtype=np.int64)
    parts = list(_parts(packings, columns=n_species * n_functions))
    for part in track(parts, "preparing the prior from random packings", quiet=quiet):
        batches = [part[first : first + AT_ONCE] for first in range(0, len(part), AT_ONCE)]
        found = side_by_side([partial(_rows, model, batch) for batch in batches])
        rows = torch.cat([of_batch.forces for of_batch, _ in found])
        side_by_side(forces.adding(rows, range(n_species)))
        count += len(rows)
        for of_batch, species in found:
            np.add.at(values, species, of_batch.features.numpy() ** 2)
            atoms += np.bincount(species, minlength=n_species)
    forces.divide(count)
    sizes = forces.diagonal(n_species).numpy() + (values / np.maximum(atoms, 1)[:, None]).ravel() / LENGTH**2
    seen = sizes > 1e-24 * sizes.max()
    weakest = WEAKEST_OF_MOLECULES if molecules else WEAKEST
    return PackingPrior(forces, np.where(seen, sizes, sizes[seen].mean()), count, weakest)


def _parts(structures: Sequence[Atoms], *, columns: int) -> Iterator[Sequence[Atoms]]:
    """Structures whose rows are summed at once."""
    first, rows = 0, 0
    for index, atoms in enumerate(structures, start=1):
        rows += 3 * len(atoms)
        if rows >= rows_at_once(columns) or index == len(structures):
            yield structures[first:index]
            first, rows = index, 0


def _rows(model: LinearACE, packings: Sequence[Atoms]) -> tuple[DesignRows, IntArray]:
    """Rows of some packings, and the place of each atom's species."""
    batch = Batch.from_atoms(packings)
    species = np.searchsorted(model.species, batch.numbers.numpy())
    return model.design_rows(neighbor_graph(batch, model.cutoff)), species


def _force_and_volume_rows(model: LinearACE, atoms: Atoms) -> Tensor:
    found, _ = _rows(model, [atoms])
    if not atoms.pbc.all():
        return found.forces
    by_volume = found.virial.diagonal(dim1=0, dim2=1).sum(-1) / (len(atoms) * LENGTH)
    return torch.cat([found.forces, by_volume[None]])

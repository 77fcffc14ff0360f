"""The posterior of what a network is linear in, about the coefficients that it was trained to."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from ase import Atoms

from adiabat.neighbors import neighbor_graph
from adiabat.potential.linear_terms import LinearTerms
from adiabat.runs import side_by_side
from adiabat.system import Batch
from adiabat.training.block_matrix import BlockMatrix
from adiabat.training.examples import KINDS
from adiabat.training.gradient.targets import Target
from adiabat.training.last_layer.rows import RowSource
from adiabat.training.passes import through
from adiabat.training.prepare import LEAST_PACKED_ATOMS
from adiabat.training.prior import AT_ONCE, LENGTH, RIDGE
from adiabat.training.regression import covariance_of
from adiabat.typing import FloatArray
from adiabat.uncertainty import Covariance, LeftOutRows, calibrate
from adiabat.uncertainty.scores import negative_log_likelihood

STRENGTHS = tuple(10.0**power for power in range(-7, 2))
"""Of the prior, relative to the data, from which one is chosen."""
SMALLEST_NOISE = 1e-9
"""eV per atom, eV/Å, eV/Å³: of labels that are met exactly."""


@dataclass(frozen=True, eq=False)
class Precision:
    """What is known of the coefficients.

    Attributes:
        of_data: Σ x xᵀ / σ² over the rows of the training, as many as all of its structures have.
        of_prior: Mean of w wᵀ over the force rows w of random packings.
        sizes: (columns,) mean square of each column in them.
        rows: Σ 1 / σ² over the rows of the training of the kind by which the prior is measured.
    """

    of_data: BlockMatrix
    of_prior: BlockMatrix
    sizes: FloatArray
    rows: float

    def covariance(self, strength: float) -> Covariance:
        """With a prior of this strength.

        Raises:
            numpy.linalg.LinAlgError: The prior is too weak for rounding.
        """
        prior = strength * self.rows
        matrices = [(1.0, self.of_data), (prior, self.of_prior)]
        return covariance_of(matrices, torch.from_numpy(prior * RIDGE * self.sizes))


def precision(
    source: RowSource, noise: Mapping[str, float], share: float, packings: Sequence[Atoms], *, quiet: bool = False
) -> Precision:
    """By the rows of some structures of the training, and a prior by random packings as `training.prior` says.

    Args:
        source: The structures.
        noise: Standard deviation of a row by kind of label: eV per atom, eV/Å, eV/Å³.
        share: Of the structures of the training that these are.
        packings: Random packings of the same species; with three force rows for each column there are enough.
        quiet: Show no progress.
    """
    columns = len(source.model.coefficients)
    of_data, counts = BlockMatrix(columns), Counter[str]()

    places = range(len(source.targets))
    for example in through(source, places, "reading structures into the posterior", quiet=quiet):
        for kind, block in example.blocks.items():
            counts[kind] += len(block.targets)
            side_by_side(of_data.adding(torch.from_numpy(block.rows / noise[kind]), [0]))
    of_data.divide(share)
    of_prior, sizes = _packed(source.model, packings, quiet=quiet)
    anchor = "forces" if counts["forces"] else next(kind for kind in KINDS if counts[kind])
    return Precision(of_data, of_prior, sizes, counts[anchor] / noise[anchor] ** 2 / share)


def _packed(model: LinearTerms, packings: Sequence[Atoms], *, quiet: bool) -> tuple[BlockMatrix, FloatArray]:
    """Mean of w wᵀ over force rows, and the mean square of each column and of its slopes."""
    forces, rows = BlockMatrix(len(model.coefficients)), 0
    squares, atoms = torch.zeros(len(model.coefficients), dtype=torch.float64), 0
    enough = _with_atoms(packings, max(LEAST_PACKED_ATOMS, len(model.coefficients)))
    batches = [enough[first : first + AT_ONCE] for first in range(0, len(enough), AT_ONCE)]

    def found(place: int) -> tuple[torch.Tensor, torch.Tensor]:
        of = model.design_rows(neighbor_graph(Batch.from_atoms(batches[place]), model.cutoff))
        return of.forces, of.features

    for of_forces, of_atoms in through(found, range(len(batches)), "preparing the prior", quiet=quiet):
        side_by_side(forces.adding(of_forces, [0]))
        rows, atoms = rows + len(of_forces), atoms + len(of_atoms)
        squares += of_atoms.square().sum(0)
    forces.divide(max(rows, 1))
    sizes = (forces.diagonal(1) + squares / max(atoms, 1) / LENGTH**2).numpy()
    seen = sizes > 1e-24 * sizes.max()
    return forces, np.where(seen, sizes, sizes[seen].mean())


def _with_atoms(packings: Sequence[Atoms], count: int) -> Sequence[Atoms]:
    """The first ones that have so many atoms together."""
    return packings[: int(np.searchsorted(np.cumsum([len(packing) for packing in packings]), count)) + 1]


def likeliest(known: Precision, validation: RowSource, *, quiet: bool = False) -> tuple[float, Covariance]:
    """The strength of the prior under which errors on structures that were not trained on are likeliest, and the posterior.

    Each posterior is calibrated first, so that the choice is by where it is wide, not by how wide it is.

    Raises:
        numpy.linalg.LinAlgError: No strength gives one.
    """
    tried: dict[float, Covariance] = {}
    for strength in STRENGTHS:
        try:
            tried[strength] = known.covariance(strength)
        except np.linalg.LinAlgError:
            continue
    if not tried:
        raise np.linalg.LinAlgError("no prior makes the precision of a last layer positive definite")
    variances = {strength: partial(_variances, validation, covariance) for strength, covariance in tried.items()}
    places = range(len(validation.targets))
    scores = {
        strength: _score(list(through(task, places, "choosing the prior of error bars", quiet=quiet)))
        for strength, task in variances.items()
    }
    best = min(scores, key=scores.__getitem__)
    return best, tried[best]


Rows = dict[str, tuple[FloatArray, FloatArray]]
"""By kind of label: residuals and variances."""


def _variances(source: RowSource, covariance: Covariance, place: int) -> Rows:
    return {
        kind: (block.targets, covariance.variance(torch.from_numpy(block.rows)).numpy())
        for kind, block in source(place).blocks.items()
    }


def _score(found: Sequence[Rows]) -> float:
    """Mean over kinds of label of the negative logarithm of the likelihood, after calibration."""
    rows = {}
    for kind in KINDS:
        of_kind = [one[kind] for one in found if kind in one]
        if of_kind:
            residuals, variances = (np.concatenate(parts) for parts in zip(*of_kind, strict=True))
            nothing = np.zeros_like(residuals)
            rows[kind] = LeftOutRows(residuals, variances, nothing, nothing)
    calibration = calibrate(rows)
    return float(
        np.mean([negative_log_likelihood(of.residuals, calibration.std(of, kind)) for kind, of in rows.items()])
    )


def noise_of(targets: Sequence[Target]) -> dict[str, float]:
    """Root mean square of what is left of labels, by kind."""
    found = {kind: [rest for one in targets if (rest := getattr(one, kind)) is not None] for kind in KINDS}
    return {
        kind: max(float(np.sqrt(np.mean(np.square(np.concatenate(parts))))), SMALLEST_NOISE)
        for kind, parts in found.items()
        if parts
    }

"""Structures that are never trained on, and a model's errors on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from adiabat.errors import DataError
from adiabat.system import Labelled, TrainableModel
from adiabat.training.gradient.assembly import assemble
from adiabat.training.gradient.batches import by_atoms
from adiabat.training.gradient.config import Stage
from adiabat.training.gradient.processes import ALONE, Processes
from adiabat.training.gradient.targets import LEARNED_KINDS, Target
from adiabat.training.groups import structures_together
from adiabat.training.made_spread import LEAST_GROUPS

ATOMS_AT_ONCE = 512
MOST = 4
"""One in so many structures is left out of few data, at most, so that error bars can be calibrated."""


@dataclass(frozen=True)
class ValidationErrors:
    """Errors by kind of label: eV per atom, eV/Å, eV/Å³.

    Attributes:
        mae: Mean absolute error.
        rmse: Root mean square error.
    """

    mae: dict[str, float]
    rmse: dict[str, float]

    def score(self, scales: Mapping[str, float], stage: Stage) -> float:
        """What parameters are chosen by: the loss of squares; infinite where an error is no number."""
        terms = [
            getattr(stage, kind) * (error / scales[kind]) ** 2 for kind, error in self.rmse.items() if kind in scales
        ]
        return float(np.sum(terms)) if np.isfinite(terms).all() else float("inf")


def divide(structures: Sequence[Labelled], fraction: float, *, seed: int, quiet: bool) -> tuple[list[int], list[int]]:
    """Indices of structures to train on and to validate by: duplicates and groups stay together.

    Args:
        structures: All of them.
        fraction: To validate by, about; at least as many as error bars are calibrated by, where that is no more than a quarter.
        seed: Of the draw.
        quiet: Show no progress.

    Raises:
        DataError: All of them belong together.
    """
    together = structures_together(structures, quiet=quiet)
    if len(together) < 2:
        raise DataError(
            f"{len(structures)} structures that all belong together",
            place="training data",
            rule="parameters are chosen by structures that were not trained on, and that none of those is a duplicate or of one group with",
            mend="add other structures, or train with --model ace",
        )
    enough = min(LEAST_GROUPS, len(structures) // MOST)
    wanted, validation = max(1, enough, round(fraction * len(structures))), list[int]()
    for place in np.random.default_rng(seed).permutation(len(together)).tolist():
        if len(validation) + len(together[place]) <= wanted:
            validation += together[place]
    chosen = set(validation or min(together, key=len))
    return [index for index in range(len(structures)) if index not in chosen], sorted(chosen)


@torch.no_grad()
def validate(
    model: TrainableModel, targets: Sequence[Target], *, dtype: torch.dtype, processes: Processes = ALONE
) -> ValidationErrors:
    """The model's errors with its present parameters."""
    atoms = [target.evaluated_atoms for target in targets]
    sums = torch.zeros(len(LEARNED_KINDS), 3, dtype=torch.float64)
    for chosen in by_atoms(processes.share(range(len(targets)), atoms), atoms, ATOMS_AT_ONCE):
        assembly = assemble([targets[index] for index in chosen], cutoff=model.cutoff, dtype=dtype)
        for kind, rows in assembly.errors(model).items():
            errors = rows.double()
            sums[LEARNED_KINDS.index(kind)] += torch.stack(
                [errors.abs().sum(), errors.square().sum(), torch.tensor(len(rows))]
            )
    [sums] = processes.summed([sums])
    present = {kind: of_kind.tolist() for kind, of_kind in zip(LEARNED_KINDS, sums, strict=True) if of_kind[2] > 0}
    return ValidationErrors(
        {kind: absolute / count for kind, (absolute, _, count) in present.items()},
        {kind: (square / count) ** 0.5 for kind, (_, square, count) in present.items()},
    )

"""How far a trained network may be off: what structures of its training ask for, calibrated by structures that it never saw."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from adiabat.training.examples import ONE_LEVEL
from adiabat.training.last_layer.rows import RowSource
from adiabat.training.leave_one_out import row_noise
from adiabat.training.left_out_group import LeftOutGroup, leave_out
from adiabat.training.made_spread import Unseen, made_spread
from adiabat.training.passes import through
from adiabat.training.regression import Solution
from adiabat.typing import FloatArray
from adiabat.uncertainty import Covariance, Spread


@dataclass(frozen=True, eq=False)
class Trained:
    """Structures that a network was trained on, and the posterior that they give.

    Attributes:
        source: Their rows.
        groups: Places of structures that belong together.
        independent: How many groups the whole training has.
        covariance: Of the coefficients.
        noise: By kind of label: eV per atom, eV/Å, eV/Å³.
    """

    source: RowSource
    groups: Sequence[Sequence[int]]
    independent: int
    covariance: Covariance
    noise: Mapping[str, float]

    def left_out(self, anchor: str, place: int) -> LeftOutGroup:
        """A group, left out of the last layer in closed form."""
        examples = [self.source(index) for index in self.groups[place]]
        std = [row_noise(example, self.noise, ONE_LEVEL) for example in examples]
        # Rows meet what the trained network leaves of the labels: changes of the coefficients are counted from its own.
        return leave_out(examples, Solution(np.zeros(len(self.covariance.scale)), self.covariance), std, anchor)


def measured_spread(trained: Trained, validation: RowSource, groups: Sequence[Sequence[int]], *, quiet: bool) -> Spread:
    """Moves and displacements by groups of the training, calibrated by what was not trained on.

    Args:
        trained: What the network was trained on.
        validation: What it was not.
        groups: Places of structures of the validation that belong together.
        quiet: Show no progress.

    Raises:
        numpy.linalg.LinAlgError: A group is all that the fit knows of something.
    """
    anchor = "forces" if "forces" in trained.noise else next(iter(trained.noise))
    task, places = partial(trained.left_out, anchor), range(len(trained.groups))
    left = list(through(task, places, "leaving structures out", quiet=quiet))
    colour = trained.covariance.colour
    displacements = colour(torch.stack([one.displacement for one in left], dim=1))
    moves = colour(torch.stack([one.move for one in left], dim=1)) * trained.independent**0.5
    judge = partial(_judged, validation, groups, trained.covariance, displacements, moves)
    found = list(through(judge, range(len(groups)), "judging by what was not trained on", quiet=quiet))
    labels = [validation.targets[index].structure.labels for group in groups for index in group]
    columns = ([one[place] for one in found] for place in range(4))
    return made_spread(moves, displacements, Unseen(labels, *columns), {})


def _judged(
    source: RowSource,
    groups: Sequence[Sequence[int]],
    covariance: Covariance,
    displacements: Tensor,
    moves: Tensor,
    place: int,
) -> tuple[dict[str, FloatArray], ...]:
    """Of a group, by kind of label: residuals, variances by the posterior, mean squares along displacements and moves."""
    found: tuple[dict[str, list[FloatArray]], ...] = ({}, {}, {}, {})
    for index in groups[place]:
        for kind, block in source(index).blocks.items():
            rows = torch.from_numpy(block.rows)
            along = ((rows @ sets.T).square().mean(1).numpy() for sets in (displacements, moves))
            for values, value in zip(found, (block.targets, covariance.variance(rows).numpy(), *along), strict=True):
                values.setdefault(kind, []).append(value)
    return tuple({kind: np.concatenate(parts) for kind, parts in values.items()} for values in found)

"""How wrong a fit is on structures that it has not seen, turned into a spread of its coefficients."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from adiabat.training.examples import Example, ExampleMaker
from adiabat.training.hyperparameters import Candidate
from adiabat.training.leave_config_type_out import leave_config_types_out
from adiabat.training.leave_one_out import row_noise
from adiabat.training.left_out_group import LeftOutGroup, leave_out
from adiabat.training.made_spread import LEAST_GROUPS, Unseen, made_spread
from adiabat.training.passes import through
from adiabat.training.prepare import Preparation
from adiabat.typing import FloatArray
from adiabat.uncertainty import Spread


def measure_spread(
    prepared: Preparation,
    best: Candidate,
    anchor: str,
    groups: list[list[int]],
    *,
    independent: int,
    quiet: bool = False,
) -> tuple[Spread | None, str]:
    """Error bars from what the fit without a group of structures, each in turn, says of that group.

    Leaving out is exact and in closed form, with the noise levels and the prior of the whole fit.

    Args:
        prepared: What was fitted, and how.
        best: The fit.
        anchor: The kind of label that displacements of the coefficients are to meet.
        groups: Indices of structures that belong together; each group is left out in turn.
        independent: How many groups there are in all the data.
        quiet: Show no progress.

    Returns:
        The spread, and a note; None where there are too few groups.
    """
    if len(groups) < LEAST_GROUPS:
        return None, (
            f"no error bars: the data fall into {len(groups)} group(s) of structures that belong together, and a calibration "
            f"takes {LEAST_GROUPS}"
        )
    work = _Work(prepared, best, anchor, groups)
    places = range(len(groups))
    left = list(through(work.left_out, places, "leaving structures out", quiet=quiet))
    colour = best.solution.covariance.colour
    displacements, moves = (
        colour(torch.stack(of_groups, dim=1)) for of_groups in ([o.displacement for o in left], [o.move for o in left])
    )
    moves *= independent**0.5
    displaced = list(through(partial(work.along, displacements), places, "what errors ask for", quiet=quiet))
    moved = list(through(partial(work.along, moves), places, "how errors agree within a structure", quiet=quiet))
    labels = [prepared.fitted[index].labels for group in groups for index in group]
    unseen = Unseen(labels, [o.residuals for o in left], [o.posterior for o in left], displaced, moved)
    record = {"config_type_left_out_rmse": leave_config_types_out(prepared, best, quiet=quiet)}
    return made_spread(moves, displacements, unseen, record), ""


@dataclass(frozen=True)
class _Work:
    """Passes over the groups; rows are made anew in each, so that memory does not grow with the data."""

    prepared: Preparation
    best: Candidate
    anchor: str
    groups: list[list[int]]

    def left_out(self, place: int) -> LeftOutGroup:
        """Leave a group out."""
        examples = self._examples(place)
        parameters = self.best.parameters
        std = [row_noise(example, parameters.noise, parameters.factors) for example in examples]
        return leave_out(examples, self.best.solution, std, self.anchor)

    def along(self, displacements: Tensor, place: int) -> dict[str, FloatArray]:
        """By kind of label, the mean square of a group's rows along the displacements of the other groups."""
        others = torch.arange(len(displacements)) != place
        by_species = displacements[others].reshape(int(others.sum()), len(self.prepared.model.species), -1)
        found: dict[str, list[FloatArray]] = {}
        for example in self._examples(place):
            columns = by_species[:, list(example.present)].flatten(1).T
            for kind, block in example.blocks.items():
                along = torch.from_numpy(block.rows) @ columns
                found.setdefault(kind, []).append(along.square().mean(1).numpy())
        return {kind: np.concatenate(parts) for kind, parts in found.items()}

    def _examples(self, place: int) -> list[Example]:
        make = ExampleMaker(self.prepared.model, self.prepared.baseline)
        return [make(self.prepared.fitted[index]) for index in self.groups[place]]

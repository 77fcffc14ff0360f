"""How wrong a fit is on structures that it has not seen, turned into a spread of its coefficients."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from adiabat.runs import allowed_threads, side_by_side, track
from adiabat.system import Labels
from adiabat.training.examples import VOIGT, Example, ExampleMaker
from adiabat.training.hyperparameters import Candidate
from adiabat.training.leave_config_type_out import leave_config_types_out
from adiabat.training.leave_one_out import row_noise
from adiabat.training.left_out_group import LeftOutGroup, leave_out
from adiabat.training.prepare import Preparation
from adiabat.typing import FloatArray
from adiabat.uncertainty import LeftOutRows, Spread, calibrate
from adiabat.uncertainty.calibration import SYMMETRIC, VANISHING
from adiabat.uncertainty.scores import LEVELS, coverage, negative_log_likelihood

LEAST_GROUPS = 10
"""Of structures: with fewer, no one can say how wrong a fit is elsewhere."""


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
    left = work.through(work.left_out, "leaving structures out", quiet=quiet)
    colour = best.solution.covariance.colour
    displacements, moves = (
        colour(torch.stack(of_groups, dim=1)) for of_groups in ([o.displacement for o in left], [o.move for o in left])
    )
    moves *= independent**0.5
    displaced = work.through(partial(work.along, displacements), "what errors ask for", quiet=quiet)
    moved = work.through(partial(work.along, moves), "how errors agree within a structure", quiet=quiet)
    labels = [prepared.fitted[index].labels for group in groups for index in group]
    rows = {
        kind: LeftOutRows(
            *(
                _joined(parts, kind)
                for parts in ([o.residuals for o in left], [o.posterior for o in left], displaced, moved)
            )
        ).kept(_telling(labels, left, kind))
        for kind in sorted({kind for one in left for kind in one.residuals})
    }
    calibration = calibrate(rows)
    judged = {kind: (of_kind.residuals, calibration.std(of_kind, kind)) for kind, of_kind in rows.items()}
    multiples = {kind: _multiples(*of_kind, len(groups)) for kind, of_kind in judged.items()}
    structures = sum(len(group) for group in groups)
    record = {
        "groups": len(groups),
        "structures": structures,
        "units": {"energy": "eV/atom", "forces": "eV/Å", "stress": "eV/Å³"},
        "left_out": {kind: _scores(*of_kind) for kind, of_kind in judged.items()},
        "config_type_left_out_rmse": leave_config_types_out(prepared, best, quiet=quiet),
    }
    return Spread(moves, displacements, calibration, multiples, record), ""


@dataclass(frozen=True)
class _Work:
    """Passes over the groups; rows are made anew in each, so that memory does not grow with the data."""

    prepared: Preparation
    best: Candidate
    anchor: str
    groups: list[list[int]]

    def through(self, task: Any, title: str, *, quiet: bool) -> list[Any]:
        """What a task returns for each group."""
        places = range(len(self.groups))
        chunks = [places[first : first + allowed_threads()] for first in places[:: allowed_threads()]]
        found = []
        for chunk in track(chunks, title, quiet=quiet):
            found += side_by_side([partial(task, place) for place in chunk])
        return found

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


def _telling(labels: Sequence[Labels], left: Sequence[LeftOutGroup], kind: str) -> NDArray[np.bool_]:
    """Which rows are not zero by symmetry."""
    residuals, posterior = _joined([o.residuals for o in left], kind), _joined([o.posterior for o in left], kind)
    label = np.concatenate([_flat(of_structure, kind) for of_structure in labels])
    vanishing = np.maximum(np.abs(label), np.abs(label - residuals)) < VANISHING[kind]
    return ~vanishing & (posterior > SYMMETRIC * posterior.mean())


def _flat(labels: Labels, kind: str) -> FloatArray:
    """The labels of a kind in the order of their rows."""
    value = getattr(labels, kind)
    if value is None:
        return np.empty(0)
    return value[VOIGT] if kind == "stress" else np.ravel(value)


def _joined(parts: Sequence[dict[str, FloatArray]], kind: str) -> FloatArray:
    return np.concatenate([part[kind] for part in parts if kind in part])


def _scores(residuals: FloatArray, std: FloatArray) -> dict[str, float]:
    """Coverage of central intervals and likelihood of left-out residuals."""
    return {
        **{f"coverage_{100 * level:.0f}": coverage(residuals, std, level) for level in LEVELS},
        "negative_log_likelihood": negative_log_likelihood(residuals, std),
        "rms_std": float(np.sqrt(np.mean(std**2))),
        "rmse": float(np.sqrt(np.mean(residuals**2))),
        "rows": len(residuals),
    }


def _multiples(residuals: FloatArray, std: FloatArray, groups: int) -> list[float]:
    """Quantiles of |e|/σ for central intervals of 1 % ... 99 %, a little higher for so few groups."""
    levels = np.minimum(np.arange(1, 100) / 100 * (groups + 1) / groups, 1.0)
    return np.quantile(np.abs(residuals) / std, levels, method="higher").tolist()

"""What every way of fitting is given, and what it gives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, Self

from adiabat.system import EnergyModel, Labelled, Storable
from adiabat.training.checkpoint import TrainingCheckpoint
from adiabat.training.config import TrainConfig
from adiabat.training.gradient.processes import ALONE, Processes
from adiabat.training.normal_equations import NormalEquations
from adiabat.training.prepare import Preparation


@dataclass(frozen=True)
class Problem:
    """A prepared fit.

    Attributes:
        prepared: What is fitted, on which baseline.
        config: What the user set.
        before: Sums of a run that was interrupted.
        saved: Its checkpoint, or None.
        log: A CSV file for ways that go on by epochs, or None.
        events: A folder for an event file of theirs, or None.
        quiet: Show no progress.
        processes: That descend together.
        others: Structures of other levels of theory, by level, which teach what all levels share.
    """

    prepared: Preparation
    config: TrainConfig
    before: NormalEquations | None = None
    saved: TrainingCheckpoint | None = None
    log: Path | None = None
    events: Path | None = None
    quiet: bool = False
    processes: Processes = ALONE
    others: Mapping[str, list[Labelled]] = field(default_factory=dict)

    def on(self, structures: Sequence[Labelled]) -> Self:
        """The same with these structures alone: what validates a descent is not fitted to before it."""
        return replace(self, prepared=replace(self.prepared, fitted=list(structures)))


@dataclass(frozen=True)
class Fitted:
    """What a fit found.

    Attributes:
        parts: Those of the potential that were fitted.
        summary: What `adiabat info` says of it: JSON values.
        notes: What the user should know.
        attachments: What belongs to the potential beside its parts.
    """

    parts: tuple[EnergyModel, ...]
    summary: dict[str, Any]
    notes: tuple[str, ...] = ()
    attachments: Mapping[str, Storable] = field(default_factory=dict)


class Way(Protocol):
    """A way to fit a prepared problem."""

    def __call__(self, problem: Problem) -> Fitted:
        """Fit; errors as of `training.train`."""
        ...

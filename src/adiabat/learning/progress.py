"""Progress: how far a run has come, read from its folder by anyone, at any time."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from adiabat.learning.config import LearnConfig
from adiabat.learning.estimate import CostEstimate
from adiabat.learning.extent import Extent
from adiabat.learning.journal import Phase, Stretch, read_journal, seconds_of
from adiabat.learning.learn import Generation, LearnFolder, Why
from adiabat.learning.ledger import Counts, count_ledger
from adiabat.results import Result


@dataclass(frozen=True)
class Progress(Result):
    """How far a run has come.

    Attributes:
        why: It ended; None while it goes on, or where it was stopped.
        phase: What it does; None before it does anything.
        generation: Of which; None where it is of none.
        budget: Requests that may be made.
        requests: Made, or waiting to be.
        labels: That came.
        open: Requests without an answer yet.
        failed: Requests without a label.
        rejected: Structures or answers that were held back.
        generations: That are done.
        oracle_seconds: Of all answers together.
        training_seconds: Of all trainings.
        exploring_seconds: Of all simulations, their judgement included.
        validating_seconds: Of the validation in the end.
        labelling_seconds: By the clock; with several workers less than the oracle's.
        seconds: Of all that it did.
        seconds_left: At most: until the budget is spent; None where nothing tells.
    """

    why: Why | None
    phase: Phase | None
    generation: int | None
    budget: int
    requests: int
    labels: int
    open: int
    failed: int
    rejected: int
    generations: tuple[Generation, ...]
    oracle_seconds: float
    training_seconds: float
    exploring_seconds: float
    validating_seconds: float
    labelling_seconds: float
    seconds: float
    seconds_left: float | None

    @property
    def answered(self) -> int:
        """Requests that are settled."""
        return self.labels + self.failed + self.rejected


def read_progress(folder: Path) -> Progress:
    """Of the run in a folder; reads only.

    Raises:
        LabelStoreError: The store cannot be read.
    """
    files = LearnFolder(folder)
    counts, stretches = count_ledger(files.store), read_journal(files.journal)
    extent = Extent.of(LearnConfig.restore(read_json(files.identity)["configuration"]))
    why = read_json(files.summary)["why"] if files.summary.exists() else None
    now = stretches[-1] if stretches else None
    spent = {phase: seconds_of(stretches, phase) for phase in get_args(Phase)}
    if now is not None and now.seconds is None and why is None:
        spent[now.phase] += time.time() - now.began_at
    return Progress(
        why=why,
        phase=None if now is None else now.phase,
        generation=None if now is None else now.generation,
        budget=extent.budget,
        requests=counts.requests,
        labels=counts.of("done"),
        open=counts.of("asked") + counts.of("running"),
        failed=counts.of("failed"),
        rejected=counts.of("rejected"),
        generations=generations_of(files),
        oracle_seconds=counts.seconds,
        training_seconds=spent["training"],
        exploring_seconds=spent["exploring"],
        validating_seconds=spent["validating"],
        labelling_seconds=spent["labelling"],
        seconds=sum(spent.values()),
        seconds_left=None if why is not None else _left(extent, counts, stretches, _estimate(files)),
    )


def generations_of(files: LearnFolder) -> tuple[Generation, ...]:
    """Those that are done."""
    found: list[Generation] = []
    while (file := files.generation(len(found)) / "generation.json").exists():
        found.append(Generation(**read_json(file)))
    return tuple(found)


def _left(
    extent: Extent, counts: Counts, stretches: tuple[Stretch, ...], estimate: CostEstimate | None
) -> float | None:
    """Seconds, until the budget is spent: what is measured counts, and what is not yet, as it was estimated."""
    if estimate is None or not stretches:
        return None
    now = stretches[-1]
    under_way = time.time() - now.began_at if now.seconds is None else 0.0
    if now.phase == "validating" or (now.phase == "training" and now.generation is None):
        return max(estimate.seconds_at_end - under_way, 0.0)
    settled = counts.requests - counts.of("asked") - counts.of("running")
    request = _mean(stretches, "labelling", settled) or estimate.seconds_per_request
    training = _mean(stretches, "training") or estimate.seconds_per_training
    exploring = _mean(stretches, "exploring") or estimate.seconds_per_exploration
    left = extent.generations_for(max(extent.budget - max(counts.requests, extent.first), 0))
    trainings = left - (now.phase == "exploring")
    whole = {"training": training, "exploring": exploring}.get(now.phase, 0.0)
    begun = min(under_way, whole)
    to_ask = (extent.budget - settled) * request
    return to_ask + trainings * training + left * exploring + estimate.seconds_at_end - begun


def _mean(stretches: tuple[Stretch, ...], phase: Phase, count: int | None = None) -> float | None:
    """Seconds of one, over all so far; of `count` things where a stretch holds several. None before the first."""
    ended = [one for one in stretches if one.phase == phase and one.seconds is not None]
    number = len(ended) if count is None else count
    return seconds_of(stretches, phase) / number if ended and number else None


def _estimate(files: LearnFolder) -> CostEstimate | None:
    return CostEstimate.load(files.estimate) if files.estimate.exists() else None


def read_json(file: Path) -> dict[str, Any]:
    """A file of a run that is always whole."""
    return json.loads(file.read_text())

"""What a run will cost, before it begins: from a trial calculation of the oracle and a trial training."""

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Self

from ase import Atoms

from adiabat.errors import ResourceError
from adiabat.learning.config import LearnConfig
from adiabat.learning.extent import Extent
from adiabat.learning.first_structures import around
from adiabat.learning.oracle_trial import OracleTrial
from adiabat.learning.resources import disk_free_bytes, memory_available_bytes, own_memory_bytes
from adiabat.learning.training_trial import (
    FEWEST_SEARCHES,
    MOST_SEARCHES,
    SEARCHES,
    TrainingTrial,
    try_training,
)
from adiabat.learning.workers import Workers
from adiabat.results import Result
from adiabat.runs import duration
from adiabat.system import Labelled

MOST_TRIED = 100
"""Structures of the trial training; what more of them take is taken to grow with their number."""
BYTES_PER_LABEL, BYTES_PER_ATOM, REPORT_BYTES = 4000, 400, 8_000_000
"""Of the store, a request and its label as JSON and as an ASE row; of the report."""
GB = 1e9


@dataclass(frozen=True)
class CostEstimate(Result):
    """What a run costs if it spends its whole budget; where it is sure before, it costs less.

    Attributes:
        requests: Of the oracle, those of the trial included.
        workers: Processes of the oracle.
        generations: Trainings, each with its exploration.
        trial_atoms: Of the structure that the oracle was tried on.
        trial_seconds: That it took.
        scaling: The time of others is assumed to grow with this power of the number of atoms.
        oracle_seconds: Of all requests together.
        seconds_per_request: By the clock: with several workers less than the oracle's.
        seconds_per_training: Of an average generation's.
        seconds_per_exploration: Of the simulations of a generation, their judgement, and the start of the oracle's processes.
        seconds_at_end: Of the last training, and of the validation.
        seconds: Of the whole run, by the clock.
        seconds_low: Where trainings search for holes once.
        seconds_high: Where they do so often.
        seconds_at_least: Where it is sure after its first training.
        memory_gb: Of this process and those of the oracle.
        memory_available_gb: None where the system does not say.
        disk_gb: Of the run's folder.
        disk_free_gb: Where that is.
        steps: That are explored.
        seconds_without_learning: Of as many steps, each computed by the oracle, with as many workers.
        speed_up: That over the whole run's.
    """

    requests: int
    workers: int
    generations: int
    trial_atoms: int
    trial_seconds: float
    scaling: float
    oracle_seconds: float
    seconds_per_request: float
    seconds_per_training: float
    seconds_per_exploration: float
    seconds_at_end: float
    seconds: float
    seconds_low: float
    seconds_high: float
    seconds_at_least: float
    memory_gb: float
    memory_available_gb: float | None
    disk_gb: float
    disk_free_gb: float
    steps: int
    seconds_without_learning: float
    speed_up: float

    @classmethod
    def load(cls, file: Path) -> Self:
        """The inverse of `save`."""
        values = json.loads(file.read_text())
        return cls(**{field.name: values[field.name] for field in dataclasses.fields(cls)})

    def sentences(self) -> tuple[str, ...]:
        """What a user is told before the run begins."""
        has = "" if self.memory_available_gb is None else f" of {self.memory_available_gb:.1f} GB"
        return (
            f"The oracle took {self.trial_seconds:.3g} s for {self.trial_atoms} atoms (kept as a label); time is assumed to grow "
            f"with the power {self.scaling:g} of their number.",
            f"If the whole budget is spent: {self.requests} labels in {self.generations} generations, "
            f"{duration(self.seconds)} by the clock ({duration(self.seconds_low)} to {duration(self.seconds_high)}, by how often "
            f"trainings have to mend holes), of which the oracle {duration(self.requests * self.seconds_per_request)}; "
            f"where the potential is sure at once, {duration(self.seconds_at_least)}.",
            f"Memory {self.memory_gb:.2g} GB{has}, disk {self.disk_gb:.2g} GB of {self.disk_free_gb:.0f} GB.",
            f"The same {self.steps:,} steps by the oracle alone: {duration(self.seconds_without_learning)}, "
            f"{self.speed_up:.2g} times as long.",
        )

    def require_resources(self, folder: Path) -> None:
        """Refuse a run that the machine cannot hold.

        Raises:
            ResourceError: There is less memory or less disk.
        """
        if self.memory_available_gb is not None and self.memory_gb > self.memory_available_gb:
            raise ResourceError(
                f"the run needs about {self.memory_gb:.2g} GB of memory, and {self.memory_available_gb:.2g} GB are free",
                place=f"{self.workers} worker(s) of the oracle",
                rule="a run begins where it can end",
                mend="take fewer --workers, a smaller structure or train.basis.size=small, or another machine",
            )
        if self.disk_gb > self.disk_free_gb:
            raise ResourceError(
                f"the run needs about {self.disk_gb:.2g} GB of disk, and {self.disk_free_gb:.2g} GB are free",
                place=str(folder),
                rule="a run begins where it can end",
                mend="free some space, or name another folder",
            )


def estimate_cost(
    starts: Sequence[Atoms],
    first: Sequence[Labelled],
    asked: OracleTrial,
    config: LearnConfig,
    folder: Path,
    *,
    workers: Workers,
) -> CostEstimate:
    """Try a training, and count.

    Args:
        starts: What is simulated.
        first: That is labelled before the first training, isolated atoms among it.
        asked: Of the oracle.
        config: Budget, lengths, training.
        folder: Of the run.
        workers: How labels are computed; of a cluster, one process is counted with.
    """
    extent = Extent.of(config)
    average = min(round(sum(extent.trained) / len(extent.trained)), MOST_TRIED)
    others = (around(start, average, volumes=(0.95, 1.05), seed=config.seed + 1) for start in starts)
    tried = [*first, *chain.from_iterable(zip(*others, strict=True))][: max(average, len(first))]
    trained = try_training(tried, starts, config)
    sizes = [len(one.atoms) for one in first if not one.is_isolated_atom]
    return forecast(extent, sizes, asked, trained, workers=workers.count, folder=folder)


def forecast(
    extent: Extent, sizes: Sequence[int], asked: OracleTrial, trained: TrainingTrial, *, workers: int, folder: Path
) -> CostEstimate:
    """From what was measured to the whole run.

    Args:
        extent: How much it asks for.
        sizes: Atoms of the structures that are labelled before the first training, isolated atoms left out; later ones are alike.
        asked: Of the oracle.
        trained: Of the rest.
        workers: Processes of the oracle.
        folder: Where it runs.
    """
    label = sum(map(asked.seconds_of, sizes)) / len(sizes)
    lone = extent.first - len(sizes)
    oracle = asked.lone_atom_seconds + (extent.budget - lone) * label
    exploring = asked.begin_seconds + extent.explorers * (
        trained.start_seconds + extent.steps * trained.step_seconds + extent.frames * trained.judging_seconds
    )
    rest = oracle / workers + extent.generations * exploring + extent.steps_validated * trained.step_seconds
    fewest, typical, most = (
        _training(extent, trained, searches) for searches in (FEWEST_SEARCHES, SEARCHES, MOST_SEARCHES)
    )
    ending = typical[-1] + extent.steps_validated * trained.step_seconds
    whole = rest + sum(typical)
    without = extent.steps_explored * asked.seconds / workers
    frames = extent.generations * extent.explorers * extent.frames
    disk = (
        REPORT_BYTES
        + extent.generations * trained.potential_bytes
        + frames * trained.frame_bytes
        + extent.budget * (BYTES_PER_LABEL + BYTES_PER_ATOM * max(sizes))
    )
    more = trained.memory_bytes * max(extent.budget / trained.tried - 1, 0)
    available = memory_available_bytes()
    return CostEstimate(
        requests=extent.budget,
        workers=workers,
        generations=extent.generations,
        trial_atoms=asked.atoms,
        trial_seconds=asked.seconds,
        scaling=asked.scaling,
        oracle_seconds=oracle,
        seconds_per_request=oracle / extent.budget / workers,
        seconds_per_training=sum(typical[:-1]) / extent.generations,
        seconds_per_exploration=exploring,
        seconds=whole,
        seconds_low=rest + sum(fewest),
        seconds_high=rest + sum(most),
        seconds_at_end=ending,
        seconds_at_least=(asked.lone_atom_seconds + len(sizes) * label) / workers + typical[0] + exploring + ending,
        memory_gb=(own_memory_bytes() + more + workers * asked.memory_bytes) / GB,
        memory_available_gb=None if available is None else (available + own_memory_bytes()) / GB,
        disk_gb=disk / GB,
        disk_free_gb=disk_free_bytes(folder) / GB,
        steps=extent.steps_explored,
        seconds_without_learning=without,
        speed_up=without / whole,
    )


def _training(extent: Extent, trained: TrainingTrial, searches: float) -> list[float]:
    """Seconds of all trainings, those by which labels are added together; the last of the list is the last one."""
    *others, last = extent.trained
    return [
        *(trained.training_seconds(labels, searches=searches) for labels in others),
        extent.updates * trained.update_seconds,
        trained.training_seconds(last, searches=searches, last=True),
    ]

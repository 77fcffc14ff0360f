"""Extent: how much a configuration asks for, in numbers that a forecast counts with."""

from dataclasses import dataclass
from math import ceil
from typing import Self

from adiabat.learning.config import LearnConfig
from adiabat.learning.course import FRAMES
from adiabat.validation import ValidateConfig

LONGEST_TIMESTEP_FS = 2.0
"""Of a validation, where none is given."""
RUNS_OF_VALIDATION = 0.5
"""Of its steps, about: those of its runs at constant temperature, constant energy and twice the temperature."""


@dataclass(frozen=True)
class Extent:
    """What a run does if it spends its whole budget.

    Attributes:
        budget: Requests of the oracle.
        first: Of them, before the first training.
        batch: Of them, after each exploration. Where only unsure frames are asked for, one of each explorer, about: it is followed to the
            first of its frames that the potential is unsure of, and one beyond, and some explorers meet none.
        rebuild: A potential is trained from the beginning when its labels are so many times those of the last time.
        explorers: Simulations in each generation.
        steps: Of each simulation.
        frames: Of each simulation, that are judged.
        steps_validated: In the end.
    """

    budget: int
    first: int
    batch: int
    rebuild: float
    explorers: int
    steps: int
    frames: int
    steps_validated: int

    @classmethod
    def of(cls, config: LearnConfig) -> Self:
        """As a configuration says."""
        explore = config.explore
        validated = 0 if config.validation is None else _steps_of(config.validation)
        batch = config.batch if config.acquisition == "random" else min(config.batch, explore.explorers)
        requests = (config.budget, config.first, batch, config.rebuild)
        return cls(*requests, explore.explorers, explore.steps, FRAMES, validated)

    def generations_for(self, requests: int) -> int:
        """Trainings, each with its exploration, until so many more requests are spent; after the last ones comes one more."""
        return ceil(requests / self.batch) + 1

    @property
    def generations(self) -> int:
        """In all."""
        return self.generations_for(self.budget - self.first)

    @property
    def trained(self) -> tuple[int, ...]:
        """Labels of each training from the beginning; the last one is of the potential that the run ends with."""
        found: list[int] = []
        for generation in range(self.generations):
            labels = min(self.first + generation * self.batch, self.budget)
            if not found or labels > self.rebuild * found[-1]:
                found.append(labels)
        return (*found, self.budget)

    @property
    def updates(self) -> int:
        """Generations in which labels are added to the potential of the one before."""
        return self.generations - len(self.trained) + 1

    @property
    def steps_explored(self) -> int:
        """In all, at the most."""
        return self.generations * self.explorers * self.steps


def _steps_of(config: ValidateConfig) -> int:
    runs_ps = config.replicas * (config.settle_ps + config.nvt_ps) + config.nve_ps + config.hot_ps
    return round(1000 * runs_ps / (config.timestep_fs or LONGEST_TIMESTEP_FS) / RUNS_OF_VALIDATION)

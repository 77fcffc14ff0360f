"""Extent: how much a configuration asks for, in numbers that a forecast counts with."""

from dataclasses import dataclass
from math import ceil
from typing import Self

from adiabat.learning.config import LearnConfig
from adiabat.learning.explore import FRAMES
from adiabat.validation import ValidateConfig

LONGEST_TIMESTEP_FS = 2.0
"""Of a validation, where none is given."""
FRACTION_AT_CONSTANT = 0.5
"""Of the steps of a validation, about, that its runs at constant temperature, constant energy and twice the temperature are."""


@dataclass(frozen=True)
class Extent:
    """What a run does if it spends its whole budget.

    Attributes:
        budget: Requests of the oracle.
        first: Of them, before the first training.
        batch: Of them, after each exploration.
        explorers: Simulations in each generation.
        steps: Of each simulation.
        frames: Of each simulation, that are judged.
        steps_validated: In the end.
    """

    budget: int
    first: int
    batch: int
    explorers: int
    steps: int
    frames: int
    steps_validated: int

    @classmethod
    def of(cls, config: LearnConfig) -> Self:
        """As a configuration says."""
        steps = 0 if config.validation is None else _steps_of(config.validation)
        return cls(config.budget, config.first, config.batch, config.explorers, config.steps, FRAMES, steps)

    def generations_for(self, requests: int) -> int:
        """Trainings, each with its exploration, until so many more requests are spent; after the last ones comes one more."""
        return ceil(requests / self.batch) + 1

    @property
    def generations(self) -> int:
        """In all."""
        return self.generations_for(self.budget - self.first)

    @property
    def average(self) -> int:
        """Structures of an average training."""
        return (self.first + self.budget) // 2

    @property
    def steps_explored(self) -> int:
        """In all."""
        return self.generations * self.explorers * self.steps


def _steps_of(config: ValidateConfig) -> int:
    runs_ps = config.replicas * (config.settle_ps + config.nvt_ps) + config.nve_ps + config.hot_ps
    return round(1000 * runs_ps / (config.timestep_fs or LONGEST_TIMESTEP_FS) / FRACTION_AT_CONSTANT)

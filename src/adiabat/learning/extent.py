"""Extent: how much a configuration asks for, in numbers that a forecast counts with."""

from dataclasses import dataclass
from math import ceil
from typing import Self

from adiabat.learning.config import LearnConfig
from adiabat.learning.explore import FRAMES


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
    """

    budget: int
    first: int
    batch: int
    explorers: int
    steps: int
    frames: int

    @classmethod
    def of(cls, config: LearnConfig) -> Self:
        """As a configuration says."""
        return cls(config.budget, config.first, config.batch, config.explorers, config.steps, FRAMES)

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

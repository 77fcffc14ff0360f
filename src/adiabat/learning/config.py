"""What learning is told."""

from typing import Self

from pydantic import Field, PositiveInt, model_validator

from adiabat.config import Config
from adiabat.training import TrainConfig
from adiabat.validation import ValidateConfig


class LearnConfig(Config):
    """Everything that a learned potential depends on beside its start structure and its oracle.

    Attributes:
        temperature_k: Of the explorers, from the coldest to the hottest.
        budget: Labels that may be asked for in all, isolated atoms and failures included.
        first: Made structures that are labelled before the first training.
        batch: Labels asked for after each exploration.
        explorers: Simulations in each generation.
        steps: Of each simulation.
        timestep_fs: Of each simulation.
        volumes: Of the explorers' cells, relative to the start structure's, from the smallest to the largest.
        force_std_ev_per_angstrom: The potential is unsure of a frame where the force on an atom has a larger standard deviation (the
            root of the summed variances of its components), and wherever it is far from its training.
        flagged: The run ends when no larger a fraction of the frames of a generation is one that the potential is unsure of.
        seed: Of all that is drawn.
        train: How each potential is trained.
        validation: How the last one is validated; null for not at all.
    """

    temperature_k: tuple[float, float] = (300.0, 1500.0)
    budget: PositiveInt = 200
    first: int = Field(default=20, ge=12)
    batch: PositiveInt = 10
    explorers: PositiveInt = 4
    steps: int = Field(default=2000, ge=100)
    timestep_fs: float = Field(default=1.0, gt=0)
    volumes: tuple[float, float] = (0.9, 1.1)
    force_std_ev_per_angstrom: float = Field(default=0.15, gt=0)
    flagged: float = Field(default=0.02, ge=0, le=1)
    seed: int = Field(default=0, ge=0)
    train: TrainConfig = Field(default_factory=TrainConfig)
    validation: ValidateConfig | None = Field(default_factory=ValidateConfig)

    @model_validator(mode="after")
    def _refuse_what_does_not_fit(self) -> Self:
        if not 0 < self.temperature_k[0] <= self.temperature_k[1]:
            raise ValueError(
                f"temperature_k={self.temperature_k}: from a temperature above 0 K to the same or a higher one"
            )
        if not 0 < self.volumes[0] <= self.volumes[1]:
            raise ValueError(f"volumes={self.volumes}: from a volume above 0 to the same or a larger one")
        if self.train.model != "ace":
            raise ValueError(f"train.model={self.train.model}: learning asks by error bars, which 'ace' has")
        if self.budget < self.first:
            raise ValueError(f"budget={self.budget} does not pay for the first={self.first} structures")
        return self

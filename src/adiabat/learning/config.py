"""What learning is told."""

from typing import Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from adiabat.config import Config
from adiabat.training import BY_GRADIENTS, TrainConfig
from adiabat.training.made_spread import LEAST_GROUPS
from adiabat.validation import ValidateConfig

Acquisition = Literal["information", "force_std", "energy_drift", "grade", "random"]


class BiasConfig(Config):
    """Exploration that is driven to where the potential is unsure, see `BiasedPotential`.

    Attributes:
        strength: The bias's forces relative to the potential's own, as root mean squares over the first structures.
        most_ev_per_atom: What the bias can lower an energy by, at the most.
        members: Of the committee whose spread drives it.
    """

    strength: float = Field(default=0.25, gt=0, le=1)
    most_ev_per_atom: float = Field(default=0.05, gt=0)
    members: int = Field(default=8, ge=2)


VOLUMES = (0.9, 1.1)
PACKINGS_ON_THE_WAY = 60
"""Random packings that are relaxed in a search for holes, before the last training."""


class ExploreConfig(Config):
    """The simulations that look for what the potential does not know.

    Attributes:
        explorers: Simulations in each generation; they take the start structures, temperatures and pressures in turn.
        steps: Of a whole course.
        timestep_fs: Of each simulation.
        volumes: Of the cells, relative to the start structure's, from the smallest to the largest; without pressures. (0.9, 1.1) where
            left out.
        ramp: Each course is heated from the coldest temperature to its own, and not held at its own.
        go_on: A course in which the potential became unsure goes on in the next generation, by the next potential, from the last
            frame that it was sure of; it does not begin anew.
        vacancies: Every second explorer begins with an atom missing.
        paths: Start structures of the same atoms are ends of reaction paths, the first and the second, the second and the third ...: in each
            generation the images of bands between them are judged too.
        label_atoms: Of a structure that the oracle can afford, at the most: of larger frames, the surroundings of the least known atom are
            cut out and labelled, see `adiabat.learning.cut_out`. Left out, frames are labelled whole.
        bias: Drives every second explorer to where the potential is unsure; left out, none.
    """

    explorers: PositiveInt = 4
    steps: int = Field(default=2000, ge=100)
    timestep_fs: float = Field(default=1.0, gt=0)
    volumes: tuple[float, float] | None = None
    ramp: bool = False
    go_on: bool = True
    vacancies: bool = False
    paths: bool = False
    label_atoms: PositiveInt | None = None
    bias: BiasConfig | None = None

    @model_validator(mode="after")
    def _refuse_what_does_not_fit(self) -> Self:
        if self.volumes is not None and not 0 < self.volumes[0] <= self.volumes[1]:
            raise ValueError(f"volumes={self.volumes}: from a volume above 0 to the same or a larger one")
        return self

    @property
    def volume_range(self) -> tuple[float, float]:
        """`volumes`, or what they are where they were left out."""
        return self.volumes or VOLUMES


class LearnConfig(Config):
    """Everything that a learned potential depends on beside its start structures and its oracle.

    Attributes:
        temperature_k: Of the explorers, from the coldest to the hottest.
        pressure_gpa: Of the explorers, from the lowest to the highest, in simulations at constant pressure; left out, they are at
            constant volume.
        budget: Labels that may be asked for in all, isolated atoms and failures included.
        first: Made structures that are labelled before the first training.
        squeezed: Of those, made by pushing two neighbours together, for each pair of species.
        batch: Labels asked for after each exploration.
        explore: The simulations.
        acquisition: Which of the frames that the potential is unsure of are labelled, see `adiabat.learning.acquisition`.
        force_std_ev_per_angstrom: The potential is unsure of a frame where the force on an atom has a larger standard deviation (the
            root of the summed variances of its components), and wherever it is far from its training.
        flagged: The run ends when no larger a fraction of the frames of a generation of whole courses is one that the potential is
            unsure of.
        rebuild: The potential is trained from the beginning when the labels are so many times those of the last time; in between, labels
            are added to its solution, with its basis, noise and prior as they are. 1: always from the beginning.
        seed: Of all that is drawn.
        train: How each potential is trained.
        validation: How the last one is validated; null for not at all.
    """

    temperature_k: tuple[float, float] = (300.0, 1500.0)
    pressure_gpa: tuple[float, float] | None = None
    budget: PositiveInt = 200
    first: int = Field(default=20, ge=12)
    squeezed: NonNegativeInt = 1
    batch: PositiveInt = 10
    explore: ExploreConfig = Field(default_factory=ExploreConfig)
    acquisition: Acquisition = "information"
    force_std_ev_per_angstrom: float = Field(default=0.15, gt=0)
    flagged: float = Field(default=0.02, ge=0, le=1)
    rebuild: float = Field(default=1.5, ge=1)
    seed: int = Field(default=0, ge=0)
    train: TrainConfig = Field(default_factory=TrainConfig)
    validation: ValidateConfig | None = Field(default_factory=ValidateConfig)

    @property
    def train_on_the_way(self) -> TrainConfig:
        """How the potentials before the last are trained: like that one, but with a shorter look for holes.

        A simulation that falls into a hole is followed to where it does, and what is there is labelled; so a hole costs a label,
        and a long search for holes in each training costs more than all of the rest.
        """
        repulsion = self.train.repulsion
        packings = min(repulsion.packings or PACKINGS_ON_THE_WAY, PACKINGS_ON_THE_WAY)
        return self.train.model_copy(update={"repulsion": repulsion.model_copy(update={"packings": packings})})

    @model_validator(mode="after")
    def _refuse_what_does_not_fit(self) -> Self:
        if not 0 < self.temperature_k[0] <= self.temperature_k[1]:
            raise ValueError(
                f"temperature_k={self.temperature_k}: from a temperature above 0 K to the same or a higher one"
            )
        if self.pressure_gpa is not None and not self.pressure_gpa[0] <= self.pressure_gpa[1]:
            raise ValueError(f"pressure_gpa={self.pressure_gpa}: from a pressure to the same or a higher one")
        if self.pressure_gpa is not None and self.explore.volumes is not None:
            raise ValueError(
                "explore.volumes has no effect where pressure_gpa is given: the barostat makes the volumes"
            )
        if self.train.model in BY_GRADIENTS:
            self._refuse_what_no_network_has()
        if self.budget < self.first:
            raise ValueError(f"budget={self.budget} does not pay for the first={self.first} structures")
        return self

    def _refuse_what_no_network_has(self) -> None:
        gradient = self.train.gradient
        if gradient.members > 1:
            raise ValueError(
                f"train.gradient.members={gradient.members}: what a label would say is told by the posterior of one network, "
                "which a committee lacks"
            )
        if self.rebuild != 1:
            raise ValueError(
                f"rebuild={self.rebuild} with train.model={self.train.model}: labels are added to the solution of a linear model alone; "
                "set rebuild=1, and give each training its time by train.gradient.max_minutes"
            )
        if gradient.validation_fraction * self.first < LEAST_GROUPS:
            raise ValueError(
                f"train.gradient.validation_fraction={gradient.validation_fraction} of first={self.first} structures: error bars are "
                f"calibrated by {LEAST_GROUPS} structures or more that were not trained on; set either larger"
            )

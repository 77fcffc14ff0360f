"""What a training run is told."""

from typing import Literal, Self

from pydantic import Field, model_validator

from adiabat.basis.presets import BasisConfig
from adiabat.config import Config
from adiabat.data import DataConfig
from adiabat.models.messages import MessagesConfig
from adiabat.models.network import NetworkConfig
from adiabat.training.gradient.config import GradientConfig
from adiabat.training.groups import CalibrationConfig
from adiabat.training.hyperparameters import SearchConfig
from adiabat.training.repulsion import RepulsionConfig

Model = Literal["ace", "network", "messages"]
BY_GRADIENTS: tuple[Model, ...] = ("network", "messages")
"""Models that are trained by gradients."""
IDLE: dict[Model, tuple[str, ...]] = {
    "ace": ("network", "messages", "gradient"),
    "network": ("messages",),
    "messages": ("network",),
}
"""Groups of keys that have no effect with a model."""


class MessagesTraining(MessagesConfig):
    """The shape of message passing, and what it begins with.

    Attributes:
        start: "random": it learns all that the baseline leaves. "linear": what a linear expansion, fitted first and kept beside it, leaves.
    """

    start: Literal["random", "linear"] = "random"

    @property
    def shape(self) -> MessagesConfig:
        """The shape alone."""
        return MessagesConfig(**self.model_dump(exclude={"start"}))


class TrainConfig(Config):
    """Everything that a potential depends on beside its data.

    Attributes:
        model: "ace": linear in its coefficients. "network": perceptrons on invariants, trained by gradients. "messages": equivariant message
            passing, likewise.
        data: Keys, isolated-atom energies, splits.
        basis: The invariants.
        repulsion: What takes over where atoms come closer than in the data.
        search: How noise levels and prior are chosen.
        calibration: How error bars are calibrated.
        network: The shape of a network.
        messages: The shape of message passing.
        gradient: How a training by gradients goes.
        accept: Names of findings in the data that are known and wanted.
    """

    model: Model = "ace"
    data: DataConfig = Field(default_factory=DataConfig)
    basis: BasisConfig = Field(default_factory=BasisConfig)
    repulsion: RepulsionConfig = Field(default_factory=RepulsionConfig)
    search: SearchConfig = Field(default_factory=SearchConfig)
    calibration: CalibrationConfig = Field(default_factory=CalibrationConfig)
    network: NetworkConfig = Field(default_factory=NetworkConfig)
    messages: MessagesTraining = Field(default_factory=MessagesTraining)
    gradient: GradientConfig = Field(default_factory=GradientConfig)
    accept: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _refuse_what_has_no_effect(self) -> Self:
        idle = sorted(set(IDLE[self.model]) & self.model_fields_set)
        if idle:
            raise ValueError(f"{' and '.join(idle)} would have no effect with model={self.model}")
        if self.model == "messages" and self.messages.start == "random":
            fields = self.model_fields_set & {"basis", "search"}
            if fields:
                raise ValueError(f"{' and '.join(sorted(fields))} would have no effect with messages.start=random")
        if self.model == "network" and self.network.start == "random":
            fields = self.model_fields_set & {"search"} | (
                {"basis.size"} if "size" in self.basis.model_fields_set else set()
            )
            if fields:
                raise ValueError(f"{' and '.join(sorted(fields))} would have no effect with network.start=random")
        return self

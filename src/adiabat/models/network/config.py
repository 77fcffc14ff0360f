"""What a network on invariants is told."""

from typing import Literal

from pydantic import Field

from adiabat.config import Config


class NetworkConfig(Config):
    """The shape of a network, and what it begins with.

    Attributes:
        hidden: Widths of the hidden layers.
        inputs: How many combinations of the invariants it sees: those that vary most over the data.
        start: "linear": a linear fit is made first, and the network learns the rest. "random": from drawn weights alone.
    """

    hidden: tuple[int, ...] = Field(default=(32, 16), min_length=1)
    inputs: int = Field(default=64, ge=1)
    start: Literal["linear", "random"] = "linear"

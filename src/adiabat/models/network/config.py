"""What a network on invariants is told."""

from typing import Annotated, Literal

from pydantic import Field

from adiabat.basis.presets import Size
from adiabat.config import Config


class NetworkConfig(Config):
    """The shape of a network, and what it begins with.

    Attributes:
        start: "linear": a linear expansion is fitted first (basis, search), and the network learns the rest. "random": there
            is nothing but the network.
        size: The preset of invariants that it sees; those of the linear expansion are basis.size.
        inputs: How many combinations of them: those that vary most over the data.
        hidden: Widths of the hidden layers.
    """

    start: Literal["linear", "random"] = "linear"
    size: Size = "small"
    inputs: int = Field(default=96, ge=1)
    hidden: tuple[Annotated[int, Field(ge=1, le=4096)], ...] = Field(default=(32, 16), min_length=1)

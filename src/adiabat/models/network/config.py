"""What a network on invariants is told."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from adiabat.basis.presets import Size
from adiabat.config import Config


class NetworkConfig(Config):
    """The shape of a network, and what it begins with.

    Attributes:
        start: "linear": a linear expansion is fitted first (basis, search), and the network learns the rest. "random": there
            is nothing but the network.
        descriptor: "ace": it sees invariants of the density, by the compiled kernel. "symmetry": atom-centred symmetry functions of two and
            three bodies, by PyTorch.
        size: The preset of invariants that it sees with "ace"; those of the linear expansion are basis.size.
        inputs: How many combinations of them: those that vary most over the data.
        hidden: Widths of the hidden layers.
    """

    start: Literal["linear", "random"] = "linear"
    descriptor: Literal["ace", "symmetry"] = "ace"
    size: Size = "small"
    inputs: int = Field(default=96, ge=1)
    hidden: tuple[Annotated[int, Field(ge=1, le=4096)], ...] = Field(default=(32, 16), min_length=1)

    @model_validator(mode="after")
    def _refuse_what_has_no_effect(self) -> Self:
        if self.descriptor == "symmetry" and "size" in self.model_fields_set:
            raise ValueError("size would have no effect with descriptor=symmetry: it is that of the ACE invariants")
        return self

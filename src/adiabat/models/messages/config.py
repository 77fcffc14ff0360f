"""How large a message-passing model is, and how far its atoms see."""

from pydantic import Field

from adiabat.config import Config


class MessagesConfig(Config):
    """The shape of a `MessagePassing` model.

    Attributes:
        cutoff_angstrom: The longest edge. Each layer lets an atom see one edge further.
        layers: 1: an atom sees its neighbours; 2: what its neighbours see, too.
        l_max: Highest degree of the harmonics of a bond's direction.
        channels: Of an atom's density, in which products are taken. They cost little: there are fewer atoms than edges.
        edge_channels: Learned radial functions of a layer, and scalars that an atom tells its neighbours. They cost most.
        vector_channels: Vectors that an atom tells its neighbours; 0: scalars alone.
        hidden: Width of the networks on atoms.
        radial_functions: Bessel functions of a distance.
        radial_hidden: Width of the network that makes radial functions of them.
    """

    cutoff_angstrom: float = Field(default=5.0, gt=0.5, le=20.0)
    layers: int = Field(default=2, ge=1, le=4)
    l_max: int = Field(default=3, ge=1, le=4)
    channels: int = Field(default=32, ge=1, le=512)
    edge_channels: int = Field(default=16, ge=1, le=512)
    vector_channels: int = Field(default=8, ge=0, le=512)
    hidden: int = Field(default=64, ge=1, le=1024)
    radial_functions: int = Field(default=8, ge=1, le=32)
    radial_hidden: int = Field(default=32, ge=1, le=512)

"""The data section of a configuration."""

from pydantic import Field, FiniteFloat

from adiabat.config import Config
from adiabat.data.keys import LabelKeys
from adiabat.data.split import SplitConfig


class ReadConfig(Config):
    """What reading and checking a data set need to be told.

    Attributes:
        keys: Under which names the labels stand.
        isolated_atoms_ev: Energies of isolated atoms by chemical symbol, for species of which the data hold none.
    """

    keys: LabelKeys = Field(default_factory=LabelKeys)
    isolated_atoms_ev: dict[str, FiniteFloat] = Field(default_factory=dict)


class DataConfig(ReadConfig):
    """What training needs to be told of its data.

    Attributes:
        level: The level of theory that a potential is to be of, where the data have several.
        split: How a test part is divided off; None keeps all for training.
    """

    level: str | None = None
    split: SplitConfig | None = None

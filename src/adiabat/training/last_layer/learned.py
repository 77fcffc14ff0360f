"""What a training by gradients leaves to those who ask how sure it is."""

from collections.abc import Sequence
from dataclasses import dataclass

from adiabat.system import EnergyModel
from adiabat.training.gradient.targets import Target


@dataclass(frozen=True)
class Learned:
    """What a training by gradients leaves.

    Attributes:
        parts: What was learned, the last of which is the network.
        training: Structures that it was trained on, and what was to be learned of their labels before it was there.
        validation: Those that it was not trained on, likewise.
        most_atoms: From how many atoms of the training a posterior is made, about; None: no limit but that of structures.
    """

    parts: Sequence[EnergyModel]
    training: Sequence[Target]
    validation: Sequence[Target]
    most_atoms: int | None = None

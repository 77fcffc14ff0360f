"""FixedStructures: a property of structures that are known before any potential is."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from ase import Atoms

from adiabat.potential import Potential, Prediction
from adiabat.results import Result
from adiabat.typing import FloatArray, Quantity

PropertyValue = Result | Mapping[str, float | FloatArray] | FloatArray | float


@dataclass(frozen=True)
class FixedStructures:
    """A property that asks a potential once, for structures that do not depend on it.

    It is called like any other property; `propagate` evaluates it for all members of a committee at once, so that they
    share what they have in common.

    Attributes:
        structures: What is evaluated.
        want: What of them is asked for.
        finish: The property, from the prediction of all structures.
    """

    structures: Sequence[Atoms]
    want: Collection[Quantity]
    finish: Callable[[Prediction], PropertyValue]

    def __call__(self, potential: Potential) -> PropertyValue:
        """The property of one potential."""
        return self.finish(potential(self.structures, want=self.want))

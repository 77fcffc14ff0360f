"""A potential asked for NumPy arrays, as properties need them."""

from collections.abc import Sequence

from ase import Atoms

from adiabat.potential import Potential, Prediction
from adiabat.typing import FloatArray, Quantity


def evaluated(potential: Potential, structures: Sequence[Atoms], *want: Quantity) -> tuple[FloatArray, ...]:
    """What is wanted of all structures, evaluated at once, in the order in which it is named.

    Returns:
        energy (S,) eV, forces (N, 3) eV/Å of all atoms one structure after the other, stress (S, 3, 3) eV/Å³.
    """
    return in_double(potential(structures, want=want), *want)


def in_double(prediction: Prediction, *names: Quantity) -> tuple[FloatArray, ...]:
    """Fields of a prediction as arrays."""
    return tuple(getattr(prediction, name).double().cpu().numpy() for name in names)

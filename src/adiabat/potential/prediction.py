"""Prediction: what a potential says of a batch."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Prediction:
    """A field that was not asked for is None.

    Attributes:
        energy: (S,) eV.
        energies: (N,) eV per atom.
        forces: (N, 3) eV/Å.
        stress: (S, 3, 3) eV/Å³, positive under tension.
    """

    energy: Tensor | None = None
    energies: Tensor | None = None
    forces: Tensor | None = None
    stress: Tensor | None = None

"""Energy along a path into a potential's unknown, and where it falls on the way."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, cast

import numpy as np
from ase import Atoms
from torch import Tensor

from adiabat.potential import Potential
from adiabat.typing import FloatArray

ATOMS_AT_ONCE = 512
"""A batch is split where it holds more."""

ROUNDING = 1e-10
"""Of the energy from which it falls: less than this is no fall."""


@dataclass(frozen=True)
class EnergyCurve:
    """Energies along a path on which they have to rise from one point to the next.

    Attributes:
        place: Which path it is.
        coordinate: (P,) in the order of the path.
        unit: Of the coordinate.
        energy_ev: (P,), of all atoms together.
        structures: (P,).
    """

    place: str
    coordinate: FloatArray
    unit: str
    energy_ev: FloatArray
    structures: Sequence[Atoms]

    @classmethod
    def along(
        cls, place: str, potential: Potential, structures: Sequence[Atoms], coordinate: FloatArray, unit: str
    ) -> Self:
        """With the energies that a potential gives."""
        return cls(place, coordinate, unit, energies_along(potential, structures), structures)


@dataclass(frozen=True)
class Hole:
    """The deepest fall of the energy along a path.

    Attributes:
        curve: The path.
        top: Where the fall begins, a coordinate of the path.
        bottom: Where it ends.
        depth_ev: By how much the energy falls.
        between: The structures from the top to the bottom.
    """

    curve: EnergyCurve
    top: float
    bottom: float
    depth_ev: float
    between: Sequence[Atoms]

    def __str__(self) -> str:
        unit = self.curve.unit
        return f"{self.curve.place}: the energy falls by {self.depth_ev:.3g} eV from {self.top:.3f} to {self.bottom:.3f} {unit}"


def descending(start: float, stop: float, step: float) -> FloatArray:
    """Equally spaced values from start down to stop, no further apart than `step`."""
    return np.linspace(start, stop, 2 + int((start - stop) / step))


def deepest_hole(curve: EnergyCurve) -> Hole | None:
    """Where the energy lies furthest below one that came before it; None where it only rises. No number is the deepest."""
    energy = np.where(np.isfinite(curve.energy_ev), curve.energy_ev, -np.inf)
    highest = np.maximum.accumulate(energy)
    fall = np.where(highest - energy > ROUNDING * np.abs(highest), highest - energy, 0.0)
    bottom = int(fall.argmax())
    if not fall[bottom] > 0:
        return None
    top = int(energy[: bottom + 1].argmax())
    ends = float(curve.coordinate[top]), float(curve.coordinate[bottom])
    return Hole(curve, *ends, float(fall[bottom]), curve.structures[top : bottom + 1])


def energies_along(potential: Potential, path: Sequence[Atoms]) -> FloatArray:
    """(P,) eV; the structures of the path have equally many atoms."""
    at_once = max(1, ATOMS_AT_ONCE // len(path[0]))
    parts = [path[first : first + at_once] for first in range(0, len(path), at_once)]
    energies = [cast(Tensor, potential(part, want=("energy",)).energy).cpu().double().numpy() for part in parts]
    return np.concatenate(energies)

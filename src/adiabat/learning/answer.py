"""Answer: what an oracle says of a structure."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from adiabat.system import Labels


@dataclass(frozen=True)
class Code:
    """What labels were made by; one set of labels has one.

    Attributes:
        code: Its name.
        version: Of the code.
        settings: All of them.
    """

    code: str
    version: str
    settings: dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """Of one structure.

    Attributes:
        labels: The energy is the one whose derivatives forces and stress are (with smearing, the free energy).
        extrapolated_energy_ev: Without smearing, as far as the code tells; beside the other, never in its place.
        converged: Whether the code says so; None where it does not say.
        seconds: That it took.
        names_force_consistent_energy: Whether the code says which energy forces are derivatives of; where it knows only one, that is
            the labels'.
    """

    labels: Labels
    extrapolated_energy_ev: float
    converged: bool | None
    seconds: float
    names_force_consistent_energy: bool = True

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> Self:
        """From what the oracle's process said."""
        stress = said["stress"]
        labels = Labels(said["energy"], np.array(said["forces"]), None if stress is None else np.array(stress))
        named = said["names_force_consistent_energy"]
        return cls(labels, said["extrapolated_energy"], said["converged"], said["seconds"], named)

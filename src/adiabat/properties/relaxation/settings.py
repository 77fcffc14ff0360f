"""How structures are relaxed."""

import math
from dataclasses import dataclass
from typing import Literal

from adiabat.errors import ConfigurationError
from adiabat.properties.relaxation.coordinates import Cell

Method = Literal["lbfgs", "fire"]


@dataclass(frozen=True)
class RelaxationSettings:
    """What moves, how far, and when it is enough.

    Attributes:
        cell: Whether the cell stays ("fixed"), moves ("free"), moves at its volume ("shape"), or along the normal of its first two
            vectors alone ("height": what lies between two crystals).
        pressure_gpa: Hydrostatic, on a free cell.
        force_tolerance_ev_per_angstrom: On each atom.
        stress_tolerance_gpa: Of each component, less the pressure.
        steps: At most.
        method: "lbfgs", or "fire" for starts far from rest.
        keep_symmetry: Keep the space group that the structure has.

    Raises:
        ConfigurationError: A value out of its range, or without effect.
    """

    cell: Cell = "fixed"
    pressure_gpa: float = 0.0
    force_tolerance_ev_per_angstrom: float = 1e-3
    stress_tolerance_gpa: float = 0.01
    steps: int = 500
    method: Method = "lbfgs"
    keep_symmetry: bool = False

    def __post_init__(self) -> None:
        for name in ("force_tolerance_ev_per_angstrom", "stress_tolerance_gpa", "steps"):
            value = getattr(self, name)
            if not (0 < value < math.inf):
                _refuse(f"{value} was given", name, "it is positive", "give a positive number")
        if not math.isfinite(self.pressure_gpa):
            _refuse(f"{self.pressure_gpa} was given", "pressure_gpa", "it is finite", "give a finite number")
        if self.pressure_gpa != 0 and self.cell != "free":
            _refuse(
                f"{self.pressure_gpa} GPa on a cell that is '{self.cell}'",
                "pressure_gpa",
                "a pressure acts on a cell that is free",
                "free the cell, or leave the pressure out",
            )


def _refuse(what: str, place: str, rule: str, mend: str) -> None:
    raise ConfigurationError(what, place=place, rule=rule, mend=mend)

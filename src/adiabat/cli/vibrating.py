"""What the commands about vibrations share: the supercell, the charges, and members in the setup of the potential."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

import numpy as np
import typer
from ase import Atoms

from adiabat.cli.measuring import repeats_of
from adiabat.errors import ConfigurationError
from adiabat.potential import Potential
from adiabat.properties import Measured, from_rest, measured
from adiabat.properties.phonons import EffectiveCharges, PhononSetup
from adiabat.results import Result

R = TypeVar("R", bound=Result)


@dataclass(frozen=True)
class Supercell:
    """In what vibrations are taken."""

    repeats: Annotated[
        str | None,
        typer.Option(help="Of the primitive cell, the supercell: 4,4,4 (default: as the potential's reach asks for)."),
    ] = None
    born: Annotated[
        Path | None,
        typer.Option(help="Dielectric tensor and effective charges (phonopy's BORN): adds their long-ranged field."),
    ] = None

    @property
    def numbers(self) -> list[int] | None:
        """Three repeats, or none."""
        return repeats_of(self.repeats)

    def setup(self, rest: Atoms, potential: Potential) -> PhononSetup:
        """For a crystal at rest."""
        charges = None if self.born is None else EffectiveCharges.read(self.born, rest)
        return PhononSetup.of(rest, potential, repeats=self.numbers, charges=charges)


def measured_from(
    rest: Atoms,
    used: Potential,
    property: Callable[[Atoms, Potential], R],
    *,
    members: int | None,
    error_bars: bool,
    pressure_gpa: float = 0.0,
) -> Measured[R]:
    """A property with its error bars, each member at its own rest near that of the potential."""
    _, of_member = from_rest(property, rest, used, relax_first=False, pressure_gpa=pressure_gpa)
    return measured(of_member, used, members=members, error_bars=error_bars)


def temperatures_to(highest_k: float, *, lowest_k: float, step_k: float) -> np.ndarray:
    """(T,) K.

    Raises:
        ConfigurationError: The highest is not above the lowest.
    """
    if not lowest_k < highest_k < np.inf:
        raise ConfigurationError(
            f"{highest_k:g} K was given",
            place="--to-k",
            rule=f"temperatures are taken from {lowest_k:g} K on",
            mend="--to-k 1000",
        )
    return np.arange(lowest_k, highest_k + 1e-6, step_k)

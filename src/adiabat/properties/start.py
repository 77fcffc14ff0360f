"""Where the properties of crystals start: at rest."""

from collections.abc import Callable
from typing import TypeVar

from ase import Atoms

from adiabat.potential import Potential
from adiabat.properties.relaxation.relaxed import relaxed_crystal, require_at_rest
from adiabat.results import Result

R = TypeVar("R", bound=Result)


def crystal_at_rest(
    atoms: Atoms, potential: Potential, *, relax_first: bool = True, pressure_gpa: float = 0.0
) -> Atoms:
    """A crystal relaxed, or as it is given; arguments and errors as of `from_rest`."""
    if relax_first:
        return relaxed_crystal(atoms, potential, pressure_gpa=pressure_gpa)
    require_at_rest(atoms, potential, pressure_gpa=pressure_gpa)
    return atoms


def from_rest(
    property: Callable[[Atoms, Potential], R],
    atoms: Atoms,
    potential: Potential,
    *,
    relax_first: bool = True,
    pressure_gpa: float = 0.0,
) -> tuple[Atoms, Callable[[Potential], R]]:
    """A property that each member of a committee takes at its own rest, near that of the potential.

    Args:
        property: Of a crystal at rest.
        atoms: The crystal.
        potential: What it is made of.
        relax_first: Otherwise the structure must be at rest as it is given.
        pressure_gpa: Under which.

    Returns:
        The crystal at rest under the potential, and the property of a potential.

    Raises:
        StructureError: It is not at rest, and was not to be relaxed; or as `relaxed`.
        SimulationError: It does not come to rest.
    """
    rest = crystal_at_rest(atoms, potential, relax_first=relax_first, pressure_gpa=pressure_gpa)

    def of_member(member: Potential) -> R:
        own = rest if member is potential else relaxed_crystal(rest, member, pressure_gpa=pressure_gpa)
        return property(own, member)

    return rest, of_member

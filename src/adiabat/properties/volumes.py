"""A crystal at several volumes: its shape and its atoms at rest at each."""

from collections.abc import Sequence
from dataclasses import replace

from ase import Atoms

from adiabat.errors import SimulationError
from adiabat.potential import Potential
from adiabat.properties.cubic_lattice import scaled
from adiabat.properties.relaxation import Relaxation, relax
from adiabat.properties.relaxation.relaxed import TIGHT
from adiabat.typing import FloatArray


def at_volumes(
    rest: Atoms, potential: Potential, relative_volumes: Sequence[float] | FloatArray, *, place: str
) -> list[Relaxation]:
    """Relaxed at each volume, all at once.

    Args:
        rest: A crystal at rest.
        potential: What it is made of.
        relative_volumes: To that at rest.
        place: Of which property an error is.

    Raises:
        SimulationError: The crystal does not come to rest at one of them.
    """
    structures = [scaled(rest, float(volume) ** (1 / 3)) for volume in relative_volumes]
    found = relax(structures, potential, replace(TIGHT, cell="shape"))
    for one, volume in zip(found, relative_volumes, strict=True):
        if not one.converged:
            raise SimulationError(
                f"does not come to rest at {volume:g} times its volume",
                place=f"{place} of {one.formula}",
                rule="cell shape and atoms are at rest at each volume",
                mend=str(one.advice),
            )
    return found

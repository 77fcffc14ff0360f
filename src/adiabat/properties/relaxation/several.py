"""Relaxations: several structures at rest as one result, whose numbers can have error bars."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from ase import Atoms

from adiabat.errors import SimulationError
from adiabat.potential import Potential
from adiabat.properties.relaxation.relax import Relaxation, relax
from adiabat.properties.relaxation.settings import RelaxationSettings
from adiabat.results import EXACT, IN_MEMORY, Figure, Line, Result, Table
from adiabat.typing import FloatArray

MOST_DRAWN = 8
"""Structures whose way down is drawn."""

FLOOR_EV = 1e-9
"""Below which a difference of enthalpies is not drawn."""


@dataclass(frozen=True)
class Relaxations(Result):
    """Structures that were relaxed, in their order; the fields are `Relaxation`'s, one entry a structure.

    Attributes:
        formula: Of each.
        converged: Whether it is at rest.
        advice: What to do where it is not.
        steps: That were made.
        energy_ev: (S,).
        energy_ev_per_atom: (S,).
        enthalpy_ev_per_atom: (S,).
        volume_cubic_angstrom: (S,); None where one of them is not periodic in three directions, as the next two.
        cell_lengths_angstrom: (S, 3).
        cell_angles_degree: (S, 3).
        pressure_gpa: That they were relaxed at.
        largest_force_ev_per_angstrom: (S,).
        largest_stress_gpa: (S,); None where cells are fixed.
        space_group_before: Of each.
        space_group: Of each.
        each: One by one, with their structures.
    """

    formula: tuple[str, ...]
    converged: tuple[bool, ...]
    advice: tuple[str | None, ...]
    steps: tuple[int, ...]
    energy_ev: FloatArray
    energy_ev_per_atom: FloatArray
    enthalpy_ev_per_atom: FloatArray
    volume_cubic_angstrom: FloatArray | None
    cell_lengths_angstrom: FloatArray | None
    cell_angles_degree: FloatArray | None
    pressure_gpa: float = field(metadata=EXACT)
    largest_force_ev_per_angstrom: FloatArray = field(metadata=EXACT)
    largest_stress_gpa: FloatArray | None = field(metadata=EXACT)
    space_group_before: tuple[str | None, ...]
    space_group: tuple[str | None, ...]
    each: tuple[Relaxation, ...] = field(metadata=IN_MEMORY)

    @classmethod
    def of(cls, each: Sequence[Relaxation]) -> Self:
        """Of relaxations with the same settings, one or more."""

        def numbers(name: str) -> FloatArray | None:
            values = [getattr(one, name) for one in each]
            return None if any(value is None for value in values) else np.array(values, dtype=np.float64)

        def words(name: str) -> tuple:
            return tuple(getattr(one, name) for one in each)

        return cls(
            **{name: words(name) for name in ("formula", "converged", "advice", "steps")},
            **{name: words(name) for name in ("space_group_before", "space_group")},
            energy_ev=np.array(words("energy_ev")),
            energy_ev_per_atom=np.array(words("energy_ev_per_atom")),
            enthalpy_ev_per_atom=np.array(words("enthalpy_ev_per_atom")),
            volume_cubic_angstrom=numbers("volume_cubic_angstrom"),
            cell_lengths_angstrom=numbers("cell_lengths_angstrom"),
            cell_angles_degree=numbers("cell_angles_degree"),
            pressure_gpa=each[0].pressure_gpa,
            largest_force_ev_per_angstrom=np.array(words("largest_force_ev_per_angstrom")),
            largest_stress_gpa=numbers("largest_stress_gpa"),
            each=tuple(each),
        )


def member_relaxations(
    started: Sequence[Atoms], member: Potential, settings: RelaxationSettings, *, own: Relaxations
) -> Relaxations:
    """What a member of a committee makes of structures, from where the potential itself left them.

    Args:
        started: The structures as they were given.
        member: It.
        settings: As of the potential.
        own: What the potential itself gave; where it did not come to rest, a member need not either.

    Raises:
        SimulationError: One that came to rest does not with the member.
    """
    begin = [one.atoms if one.converged else atoms for one, atoms in zip(own.each, started, strict=True)]
    found = relax(begin, member, settings)
    for place, (one, ours) in enumerate(zip(found, own.each, strict=True)):
        if ours.converged and not one.converged:
            raise SimulationError(
                f"structure {place}, {one.formula}, does not come to rest",
                rule="an error bar is over members with which the structure comes to rest",
                mend=one.advice,
            )
    return Relaxations.of(found)


def relaxations_table(found: Relaxations) -> Table:
    """One row a structure."""
    rows = tuple(
        (
            place,
            one.formula,
            "yes" if one.converged else "no",
            one.steps,
            one.energy_ev_per_atom,
            None if one.volume_cubic_angstrom is None else one.volume_cubic_angstrom / len(one.atoms),
            one.largest_force_ev_per_angstrom,
            one.largest_stress_gpa,
            one.space_group or "",
        )
        for place, one in enumerate(found.each)
    )
    columns = (
        "structure",
        "formula",
        "at rest",
        "steps",
        "energy (eV/atom)",
        "volume (Å³/atom)",
        "largest force (eV/Å)",
        "largest stress left (GPa)",
        "space group",
    )
    return Table("relaxations", "Relaxations", columns, rows)


def relaxation_figures(found: Relaxations) -> tuple[Figure, ...]:
    """The way down of the first few structures."""
    lines = []
    for place, one in enumerate(found.each[:MOST_DRAWN]):
        above = one.enthalpies_ev - one.enthalpies_ev.min()
        kept = np.flatnonzero(above > FLOOR_EV)
        if len(kept):
            lines.append(Line(kept.astype(np.float64), above[kept], f"{place}: {one.formula}"))
    if not lines:
        return ()
    more = len(found.each) - MOST_DRAWN
    return (
        Figure(
            name="way-down",
            title="The way down",
            x_label="step",
            y_label="enthalpy above the lowest (eV)",
            marks=tuple(lines),
            y_scale="log",
            note=f"{more} more structures are not drawn." if more > 0 else "",
        ),
    )

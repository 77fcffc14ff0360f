"""``adiabat boundary``: the energy of a symmetric grain boundary."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from ase.io import write

from adiabat.cli.app import Debug, Threads, app
from adiabat.cli.measuring import (
    NoRelax,
    Output,
    PotentialName,
    Shown,
    StructureName,
    read_potential,
    read_structure,
    rest_sentence,
    write_out,
)
from adiabat.cli.options import grouped
from adiabat.errors import ConfigurationError
from adiabat.potential import Potential
from adiabat.properties import crystal_at_rest, measured
from adiabat.properties.boundaries.energy import (
    GrainBoundary,
    boundary_figures,
    boundary_of_member,
    boundary_sentences,
    grain_boundary,
)
from adiabat.results import StructureView
from adiabat.runs import atomic_path

PRINTED = ("boundary_energy_j_per_m2", "excess_volume_angstrom")


@dataclass(frozen=True)
class Search:
    """Where the grains meet, and the shifts that are tried."""

    plane: Annotated[str, typer.Option(help="Where the grains meet: 1,1,2 (Σ3 of bcc), 2,1,0 or 3,1,0 (Σ5).")]
    thickness_angstrom: Annotated[float, typer.Option(help="Of each grain, at least.")] = 15.0
    shifts: Annotated[int, typer.Option(help="Along each of the boundary's vectors, tried rigid.")] = 6
    relaxed_shifts: Annotated[int, typer.Option(help="Of the lowest, relaxed.")] = 6


@app.command("boundary")
@grouped(search=Search, output=Output)
def boundary_command(
    potential: PotentialName,
    structure: StructureName,
    *,
    search: Search,
    out: Annotated[Path | None, typer.Option(help="Write the lowest boundary (.xyz).")] = None,
    no_relax: NoRelax = False,
    output: Output,
    threads: Threads = None,
    debug: Debug = False,
) -> None:
    """The energy of a symmetric (mirror) grain boundary of a crystal, over all rigid shifts of one grain against the other.

    The crystal is relaxed first, positions and cell. Σ is printed for cubic crystals.

    Example: adiabat boundary w.adiabat w.cif --plane 1,1,2 --out boundary.xyz --json boundary.json
    """
    output.require(potential, {"STRUCTURE": structure}, **{"--out": out})
    indices = plane_of(search.plane)
    used, atoms = read_potential(potential), read_structure(structure)
    rest = crystal_at_rest(atoms, used, relax_first=not no_relax)
    own = grain_boundary(
        rest,
        used,
        indices,
        thickness_angstrom=search.thickness_angstrom,
        shifts=search.shifts,
        relaxed_shifts=search.relaxed_shifts,
    )

    def property(member: Potential) -> GrainBoundary:
        return own if member is used else boundary_of_member(own, rest, member)

    found = measured(property, used, members=output.members, error_bars=output.error_bars)
    if out is not None:
        with atomic_path(out) as temporary:
            write(temporary, own.lowest, format="extxyz")
    shown = Shown(
        title=f"Grain boundary ({search.plane}) of {structure.name} by {Path(potential).name}",
        sentences=(rest_sentence(rest, relaxed=not no_relax), *boundary_sentences(own)),
        figures=boundary_figures(own),
        structures=[StructureView("boundary", "The lowest boundary", own.lowest)],
        printed=PRINTED,
    )
    write_out(found, shown, output, potential=used, name=potential)


def plane_of(text: str) -> tuple[int, int, int]:
    """``1,1,2`` or ``1,-1,0``.

    Raises:
        ConfigurationError: Not three whole numbers.
    """
    words = text.split(",")
    try:
        first, second, third = (int(word) for word in words)
    except ValueError as error:
        raise ConfigurationError(
            f"'{text}' was given", place="indices", rule="three whole numbers", mend="1,1,2 or 1,-1,0"
        ) from error
    return first, second, third

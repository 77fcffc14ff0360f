"""``adiabat saddle``: saddles around a minimum."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from ase.io import write

from adiabat.cli.app import EXIT_FOUND, Debug, Threads, app
from adiabat.cli.measuring import (
    Output,
    PotentialName,
    Shown,
    StructureName,
    read_potential,
    read_structure,
    write_out,
)
from adiabat.cli.options import grouped
from adiabat.cli.relax import read_structures
from adiabat.potential import Potential
from adiabat.properties import measured
from adiabat.properties.saddles import FollowSettings, Saddles, saddles, saddles_of_member
from adiabat.properties.saddles.search import saddle_figures, saddle_sentences, saddle_table
from adiabat.results import StructureView
from adiabat.runs import atomic_path

PRINTED = ("barrier_ev", "reverse_barrier_ev", "unstable_frequency_thz", "log10_prefactor_per_s")


@dataclass(frozen=True)
class Searching:
    """How many searches, where they begin, and when they end."""

    searches: Annotated[int, typer.Option(help="In random directions, all followed together.")] = 16
    push_angstrom: Annotated[float, typer.Option(help="The farthest pushed atom.")] = 0.3
    center: Annotated[int | None, typer.Option(help="Push this atom (from 0) and those near it; default: all.")] = None
    steps: Annotated[int, typer.Option(help="Of each search, at most.")] = 500
    seed: Annotated[int, typer.Option(min=0, help="Of the directions.")] = 0


@app.command("saddle")
@grouped(searching=Searching, output=Output)
def saddle_command(
    potential: PotentialName,
    structure: StructureName,
    *,
    searching: Searching,
    minima: Annotated[Path | None, typer.Option(help="Structures that the sides may lead to.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the saddles (.xyz).")] = None,
    output: Output,
    threads: Threads = None,
    debug: Debug = False,
) -> None:
    """Saddles around a minimum, without knowing where they lead: barriers, prefactors, and where their two sides come to.

    The structure is relaxed first, its cell fixed. Searches follow the mode of lowest curvature uphill; what they find is polished by the
    Hessian and verified: one unstable mode, and where both sides lead. Where no saddle is found, the exit status is 1.

    Example: adiabat saddle si.adiabat vacancy.xyz --center 0 --searches 16 --out saddles.xyz --json saddles.json
    """
    output.require(potential, {"STRUCTURE": structure, **({"--minima": minima} if minima else {})}, **{"--out": out})
    used = read_potential(potential)
    own = saddles(
        read_structure(structure),
        used,
        searches=searching.searches,
        push_angstrom=searching.push_angstrom,
        center=searching.center,
        minima=read_structures(minima) if minima else (),
        settings=FollowSettings(steps=searching.steps),
        seed=searching.seed,
    )

    def property(member: Potential) -> Saddles:
        return own if member is used else saddles_of_member(own, member)

    found = measured(property, used, members=output.members, error_bars=output.error_bars and bool(own.structures))
    if out is not None and own.structures:
        with atomic_path(out) as temporary:
            write(temporary, list(own.structures), format="extxyz")
    shown = Shown(
        title=f"Saddles around {structure.name} by {Path(potential).name}",
        sentences=saddle_sentences(own),
        tables=(saddle_table(own),),
        figures=saddle_figures(own),
        structures=[StructureView(f"saddle-{n}", f"Saddle {n}", atoms) for n, atoms in enumerate(own.structures[:6])],
        printed=PRINTED,
    )
    write_out(found, shown, output, potential=used, name=potential)
    if not own.structures:
        raise typer.Exit(EXIT_FOUND)

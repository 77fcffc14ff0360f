"""``adiabat segregation``: where a second element stands at a grain boundary."""

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
from adiabat.cli.order import Sampling
from adiabat.properties.boundaries.segregation import segregation, segregation_figures, segregation_sentences
from adiabat.results import StructureView
from adiabat.runs import atomic_path

PRINTED = ("share", "bulk_share", "excess_per_square_nanometer", "profile")


@app.command("segregation")
@grouped(sampling=Sampling, output=Output)
def segregation_command(
    potential: PotentialName,
    structure: StructureName,
    *,
    element: Annotated[str, typer.Option(help="That segregates.")],
    share: Annotated[float | None, typer.Option(help="Of the sites: exchanges at this composition.")] = None,
    difference_ev: Annotated[
        float | None,
        typer.Option(
            help="Chemical potential of the element less that of the host, as the potential counts: semi-grand."
        ),
    ] = None,
    sampling: Sampling,
    out: Annotated[Path | None, typer.Option(help="Write the cells as the chains end (.xyz).")] = None,
    output: Output,
    threads: Threads = None,
    debug: Debug = False,
) -> None:
    """Where atoms of a second element stand at a grain boundary: profile and excess, by Monte Carlo.

    The structure is a bicrystal that `adiabat boundary --out` writes, its boundaries at the bottom and in the middle. With --share two
    unlike atoms change places; with --difference-ev an atom becomes the other element. Where the excess still drifts, the exit status is 1.

    Example: adiabat segregation hea.adiabat boundary.xyz --element Ta --share 0.05 --temperature-k 1000 --json segregation.json
    """
    output.require(potential, {"STRUCTURE": structure}, **{"--out": out})
    used = read_potential(potential)
    found = segregation(
        read_structure(structure),
        used,
        element,
        sampling.settings,
        share=share,
        difference_ev=difference_ev,
        chains=sampling.chains,
        members=output.members,
        error_bars=output.error_bars,
    )
    result = found.result
    if out is not None:
        with atomic_path(out) as temporary:
            write(temporary, list(result.cells), format="extxyz")
    shown = Shown(
        title=f"Segregation of {element} in {structure.name} by {Path(potential).name}",
        sentences=segregation_sentences(result),
        figures=segregation_figures(found),
        structures=[StructureView("cell", "The first chain at its end", result.cells[0])],
        printed=PRINTED,
    )
    write_out(found, shown, output, potential=used, name=potential)
    if result.drifts:
        raise typer.Exit(EXIT_FOUND)

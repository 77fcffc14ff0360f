"""``adiabat screen``: a cheap pass over many paths."""

from pathlib import Path
from typing import Annotated

import typer
from ase import Atoms
from ase.io import write

from adiabat.cli.app import Debug, Threads, app
from adiabat.cli.measuring import Output, PotentialName, Shown, read_potential, write_out
from adiabat.cli.options import grouped
from adiabat.cli.relax import read_structures
from adiabat.properties.paths.screening import (
    Screening,
    pairs_of,
    screened,
    screening_figures,
    screening_sentences,
    screening_table,
)
from adiabat.runs import atomic_path


@app.command("screen")
@grouped(output=Output)
def screen_command(
    potential: PotentialName,
    paths: Annotated[
        Path,
        typer.Argument(
            metavar="PATHS", help="A file with the ends of paths in turn: first, last, first, last.", show_default=False
        ),
    ],
    *,
    promising: Annotated[int, typer.Option(help="How many of the lowest barriers are chosen.")] = 5,
    least_certain: Annotated[int, typer.Option(help="How many of the largest error bars.")] = 5,
    out: Annotated[
        Path | None, typer.Option(help="Write first end and highest image of the chosen paths, to be labelled (.xyz).")
    ] = None,
    output: Output,
    threads: Threads = None,
    debug: Debug = False,
) -> None:
    """Coarse barriers of many paths; the most promising and the least certain are written out for a reference calculation.

    Paths whose ends do not belong together, slide into one, or have no barrier are named, and the others go on.

    Example: adiabat screen si.adiabat hops.xyz --promising 5 --least-certain 5 --out to_label.xyz --json screening.json
    """
    output.require(potential, {"PATHS": paths}, **{"--out": out})
    used = read_potential(potential)
    found = screened(
        pairs_of(read_structures(paths)),
        used,
        promising=promising,
        least_certain=least_certain,
        members=output.members,
        error_bars=output.error_bars,
    )
    result = found.result
    if out is not None and result.chosen:
        with atomic_path(out) as temporary:
            write(temporary, _to_label(result), format="extxyz")
    shown = Shown(
        title=f"Screening of {paths.name} by {Path(potential).name}",
        sentences=screening_sentences(result),
        tables=(screening_table(found),),
        figures=screening_figures(result),
        printed=(),
    )
    write_out(found, shown, output, potential=used, name=potential)


def _to_label(found: Screening) -> list[Atoms]:
    """First end and highest image of each chosen path."""
    written = []
    for n in found.chosen:
        for name, atoms in (("first", found.minima[n]), ("highest", found.saddles[n])):
            one = atoms.copy()
            one.info = {"path": found.places[n], "image": name}
            written.append(one)
    return written

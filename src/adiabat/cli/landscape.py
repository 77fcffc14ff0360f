"""``adiabat landscape``: random-start search of a potential's minima and holes."""

from pathlib import Path
from typing import Annotated

import typer
from ase.io import write
from rich.console import Console
from rich.text import Text

from adiabat.cli.app import EXIT_FOUND, Debug, Threads, app
from adiabat.cli.files import require_outputs
from adiabat.cli.measuring import PotentialName, StructureName, details_of, read_potential, read_structure
from adiabat.properties.landscape import Landscape, landscape
from adiabat.properties.landscape.survey import landscape_figures, landscape_sentences, landscape_table
from adiabat.results import Page, StructureView
from adiabat.runs import atomic_path


@app.command("landscape")
def landscape_command(
    potential: PotentialName,
    structure: StructureName,
    *,
    starts: Annotated[int, typer.Option(help="Random ones, relaxed together.")] = 64,
    saddle_searches: Annotated[int, typer.Option(help="Around each of the three lowest minima.")] = 0,
    reference: Annotated[
        str | None, typer.Option(help="Another potential, or a calculator as module:Class, that is believed.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write all that was found (.xyz), its kind in each structure.")
    ] = None,
    json: Annotated[Path | None, typer.Option("--json", help="Write the numbers as JSON.")] = None,
    report: Annotated[Path | None, typer.Option("--report", help="Write them as a page with plots (HTML).")] = None,
    threads: Threads = None,
    debug: Debug = False,
) -> None:
    """Minima of a potential from random starts; holes, and minima that a reference does not hold, are named with their structures.

    Starts have the atoms and about the density of the structure. Where holes or spurious minima are found, the exit status is 1.

    Example: adiabat landscape si.adiabat si8.cif --starts 100 --out minima.xyz --report landscape.html
    """
    from adiabat.report import print_table, write_html

    require_outputs(
        {"--out": out, "--json": json, "--report": report},
        inputs={
            "POTENTIAL": Path(potential),
            "STRUCTURE": structure,
            "--reference": None if reference is None else Path(reference),
        },
    )
    used, other = read_potential(potential), None if reference is None else read_potential(reference)
    found = landscape(read_structure(structure), used, starts=starts, saddle_searches=saddle_searches, reference=other)
    console = Console()
    for sentence in landscape_sentences(found):
        console.print(Text(sentence))
    print_table(landscape_table(found), console)
    if out is not None:
        with atomic_path(out) as temporary:
            write(temporary, _named(found), format="extxyz")
    if json is not None:
        found.save(json)
    if report is not None:
        page = Page(
            f"Landscape of {Path(potential).name} around {structure.name}",
            landscape_sentences(found),
            (landscape_table(found),),
            landscape_figures(found),
            tuple(
                StructureView(f"minimum-{n}", f"Minimum {n}: {found.kinds[n]}", found.structures[n])
                for n in [*found.suspicious, *range(len(found.structures))][:8]
            ),
            details_of(used, potential),
        )
        write_html(page, report)
    if found.suspicious or found.lost:
        raise typer.Exit(EXIT_FOUND)


def _named(found: Landscape) -> list:
    """All structures, each with its kind; that which the search began with first."""
    named = []
    groups = (
        (["start"], [found.rest]),
        (found.kinds, found.structures),
        (["saddle"] * len(found.saddle_structures), found.saddle_structures),
        (["lost"] * len(found.lost_structures), found.lost_structures),
    )
    for kinds, structures in groups:
        for kind, atoms in zip(kinds, structures, strict=True):
            one = atoms.copy()
            one.info = {"kind": kind}
            named.append(one)
    return named

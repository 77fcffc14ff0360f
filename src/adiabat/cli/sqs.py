"""``adiabat sqs``: a special quasi-random cell of an alloy."""

from pathlib import Path
from typing import Annotated

import typer
from ase.io import write
from rich.console import Console
from rich.text import Text

from adiabat.cli.app import Debug, app
from adiabat.cli.files import require_outputs
from adiabat.cli.measuring import StructureName, read_structure, repeats_of
from adiabat.properties.alloys import composition_of, quasirandom_cell
from adiabat.properties.alloys.views import order_figure, order_table
from adiabat.results import Page, StructureView
from adiabat.runs import atomic_path


@app.command("sqs")
def sqs_command(
    crystal: StructureName,
    *,
    composition: Annotated[str, typer.Option(help="NbMoTaW, or W=0.9,Ta=0.1.")],
    repeats: Annotated[str, typer.Option(help="Of the crystal's cell: 4,4,4.")],
    out: Annotated[Path, typer.Option(help="The cell to write (.xyz).")],
    shells: Annotated[int, typer.Option(min=1, max=12, help="Whose order is made small, the nearest first.")] = 3,
    iterations: Annotated[int, typer.Option(min=1, help="Arrangements that are tried.")] = 100_000,
    seed: Annotated[int, typer.Option(min=0, help="Of the arrangements.")] = 0,
    json: Annotated[Path | None, typer.Option("--json", help="Write the numbers as JSON.")] = None,
    report: Annotated[Path | None, typer.Option("--report", help="Write them as a page with plots (HTML).")] = None,
    debug: Debug = False,
) -> None:
    """A special quasi-random cell: an alloy on the sites of a crystal, its nearest shells as in a random alloy.

    It takes sqsgenerator (pip install 'adiabat[alloys]'). The order that is left is counted on the cell itself.

    Example: adiabat sqs tungsten.cif --composition NbMoTaW --repeats 4,4,4 --out sqs.xyz
    """
    from adiabat.report import print_table, write_html

    require_outputs({"--out": out, "--json": json, "--report": report}, inputs={"STRUCTURE": crystal})
    cells = repeats_of(repeats)
    assert cells is not None  # it was given
    found = quasirandom_cell(
        read_structure(crystal),
        composition_of(composition),
        repeats=cells,
        shells=shells,
        iterations=iterations,
        seed=seed,
    )
    with atomic_path(out) as temporary:
        write(temporary, found.cell, format="extxyz")
    console = Console()
    print_table(order_table(found), console)
    said = f"{found.formula}: largest order {found.largest_order:.3f}; of one random arrangement {found.shuffled_order:.3f}"
    console.print(Text(said))
    if json is not None:
        found.save(json)
    if report is not None:
        view = StructureView("cell", "The cell", found.cell)
        write_html(
            Page(f"Quasi-random cell {found.formula}", (said,), (order_table(found),), (order_figure(found),), (view,)),
            report,
        )

"""``adiabat polymorphs``: which crystal is stable at which pressure."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.text import Text

from adiabat.cli.app import Debug, Threads, app
from adiabat.cli.files import require_outputs
from adiabat.cli.measuring import PotentialName, details_of, read_potential
from adiabat.cli.relax import read_structures
from adiabat.properties.measured import WITHOUT_POSTERIOR
from adiabat.properties.polymorphs import polymorph_figures, polymorph_tables, polymorphs
from adiabat.results import Page


@app.command("polymorphs")
def polymorphs_command(
    potential: PotentialName,
    structures: Annotated[
        Path,
        typer.Argument(
            metavar="STRUCTURES", help="Two or more crystals of one composition, in one file.", show_default=False
        ),
    ],
    *,
    highest_pressure_gpa: Annotated[float, typer.Option(help="Of the range, which begins at zero.")] = 20.0,
    points: Annotated[int, typer.Option(help="Pressures.")] = 5,
    members: Annotated[
        int | None, typer.Option(help="Potentials drawn for each part of the error bars (default: 16).")
    ] = None,
    json: Annotated[Path | None, typer.Option("--json", help="Write the numbers, with error bars, as JSON.")] = None,
    report: Annotated[Path | None, typer.Option("--report", help="Write them as a page with plots (HTML).")] = None,
    threads: Threads = None,
    debug: Debug = False,
) -> None:
    """Rank polymorphs by enthalpy over pressure, with transition pressures and probabilities of the order.

    Error bars are of differences, so that errors that polymorphs have in common cancel; probabilities are shares of the members for
    which a polymorph is the lowest.

    Example: adiabat polymorphs si.adiabat crystals.xyz --highest-pressure-gpa 15 --json ranking.json
    """
    from adiabat.report import print_table, write_html

    require_outputs(
        {"--json": json, "--report": report}, inputs={"POTENTIAL": Path(potential), "STRUCTURES": structures}
    )
    used = read_potential(potential)
    pressures = np.linspace(0.0, highest_pressure_gpa, points)
    found = polymorphs(read_structures(structures), used, pressures_gpa=pressures, members=members)
    console = Console()
    for table in polymorph_tables(found):
        print_table(table, console)
    remark = () if used.has_uncertainty else (WITHOUT_POSTERIOR,)
    for sentence in remark:
        console.print(Text(sentence))
    if json is not None:
        found.save(json)
    if report is not None:
        page = Page(
            f"Polymorphs of {structures.name} by {Path(potential).name}",
            remark,
            polymorph_tables(found),
            polymorph_figures(found),
            details=details_of(used, potential),
        )
        write_html(page, report)

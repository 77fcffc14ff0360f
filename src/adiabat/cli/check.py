"""``adiabat check``: describe a data set and name what is wrong with it."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import Field
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from adiabat.cli.app import EXIT_FOUND, Debug, Threads, app
from adiabat.cli.files import require_outputs
from adiabat.config import Config
from adiabat.data import KNOWN_FINDINGS, CheckResult, Finding, ReadConfig, check, page, read
from adiabat.data.page import tables

COLOURS = {"error": "bold red", "warning": "bold yellow", "accepted": "dim"}


class CheckConfig(Config):
    """What `adiabat check` is told: the part of a training configuration that has an effect here.

    Attributes:
        data: Keys and isolated-atom energies.
    """

    data: ReadConfig = Field(default_factory=ReadConfig)


@app.command("check")
def check_command(
    file: Annotated[
        Path, typer.Argument(help="Labelled structures, in any format that ASE reads.", show_default=False)
    ],
    *,
    json: Annotated[Path | None, typer.Option("--json", help="Write description and findings as JSON.")] = None,
    report: Annotated[Path | None, typer.Option("--report", help="Write them as a page with pictures (HTML).")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="data.keys.energy=energy, and the like.")] = None,
    accept: Annotated[list[str] | None, typer.Option("--accept", help="A finding that is known and wanted.")] = None,
    threads: Threads = None,
    debug: Debug = False,
) -> None:
    """Describe a data set and name what is wrong with it: exit status 0 clean, 1 findings, 2 unusable.

    Structures are counted from 0. Energies are expected under REF_energy (eV), forces under REF_forces (eV/Å), stresses
    under REF_stress (eV/Å³, positive under tension) or REF_virial (eV).

    Example: adiabat check train.xyz --report check.html --set data.keys.energy=energy
    """
    config = CheckConfig.load(None, settings or ())
    require_outputs({"--json": json, "--report": report}, inputs={"FILE": file})
    result = examine(file, config.data, accept or ())
    print_result(result, str(file))
    if json is not None:
        result.save(json)
    if report is not None:
        from adiabat.report import write_html

        write_html(page(result.description, result.findings, title=f"Data set {file.name}"), report)
    if not result.is_clean:
        raise typer.Exit(EXIT_FOUND)


def examine(file: Path, config: ReadConfig, accept: list[str] | tuple[str, ...]) -> CheckResult:
    """Read and check a file, whether its labels fit together included."""
    from adiabat.training.coherence import COHERENCE_FINDINGS, check_coherence

    structures = read(file, keys=config.keys)
    result = check(structures, isolated_atoms_ev=config.isolated_atoms_ev)
    result = result.including(check_coherence(structures))
    return result.accepting(tuple(accept), known=(*KNOWN_FINDINGS, *COHERENCE_FINDINGS))


def print_result(result: CheckResult, title: str) -> None:
    """The description as tables, notes, then each finding with its place, rule and mend."""
    from adiabat.report import print_table

    console = Console()
    for table in tables(result.description):
        print_table(table, console)
    for note in result.description.notes:
        console.print(Text(f"note: {note}", style="dim"), soft_wrap=True)
    for finding in result.findings:
        _print_finding(console, finding, accepted=finding.name in result.accepted)
    count = sum(finding.name not in result.accepted for finding in result.findings)
    verdict = f"{count} finding{'s' if count > 1 else ''}" if count else "nothing wrong was found"
    console.print(Text(f"{title}: {verdict}", style="bold"), soft_wrap=True)


def _print_finding(console: Console, finding: Finding, *, accepted: bool) -> None:
    standing = "accepted" if accepted else finding.severity
    grid = Grid.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(Text(standing, style=COLOURS[standing]), Text(finding.name, style="bold"))
    for name, text in (
        ("found", finding.what),
        ("place", finding.where),
        ("rule", finding.rule),
        ("mend", finding.mend),
    ):
        grid.add_row(name, Text(text))
    console.print(grid)
    console.print()

"""``adiabat validate``: whether a potential is fit for use."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from adiabat.cli.analyse import read_trajectory
from adiabat.cli.app import EXIT_FOUND, Debug, Threads, app
from adiabat.cli.files import require_outputs
from adiabat.data import read
from adiabat.potential import load_potential
from adiabat.runs import provenance
from adiabat.simulate import read_start
from adiabat.validation import ValidateConfig, validate


@app.command("validate")
def validate_command(
    potential_file: Annotated[Path, typer.Argument(metavar="POTENTIAL", help="A potential file.", show_default=False)],
    *,
    start: Annotated[
        Path, typer.Option("--start", help="A structure as it will be simulated, near equilibrium.", show_default=False)
    ],
    data: Annotated[
        Path | None, typer.Option("--data", help="Labelled structures that it was not trained on.", show_default=False)
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Option("--reference", help="A trajectory to reproduce: a run's folder, or frames.", show_default=False),
    ] = None,
    temperature_k: Annotated[float, typer.Option("--temperature-k", help="At which it will be simulated.")] = 300.0,
    json: Annotated[Path | None, typer.Option("--json", help="Write the checks as JSON.")] = None,
    report: Annotated[Path | None, typer.Option("--report", help="Write them as a page with plots (HTML).")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="nve_ps=20, limits.force_error=0.1, and the like.")
    ] = None,
    threads: Threads = None,
    debug: Debug = False,
) -> None:
    """Whether a potential is fit for use: one verdict, with a reason for each check that failed (exit status 1).

    Checked are errors and calibration on a test set (--data), the stress against the energy, pairs of atoms at short distance,
    smoothness, compression, locality, constant energy and temperature in motion, a run at twice the temperature, and
    structure and vibrations against a trajectory (--reference; frames of a file need --set reference.interval_fs=1).

    Example: adiabat validate si.adiabat --data test.xyz --start start.xyz --report report.html --json validate.json
    """
    config = ValidateConfig.load(None, settings or ())
    inputs = {"POTENTIAL": potential_file, "--start": start, "--data": data, "--reference": reference}
    require_outputs({"--json": json, "--report": report}, inputs=inputs)
    potential, atoms = load_potential(potential_file), read_start(start)
    structures = read(data) if data is not None else []
    trajectory = None if reference is None else read_trajectory(reference, config.reference)
    found = validate(
        potential,
        atoms,
        temperature_k=temperature_k,
        data=structures,
        reference=trajectory,
        config=config,
        name=potential_file.name,
    )
    console = Console()
    for check in found.checks:
        verdict, style = {True: ("passed", "green"), False: ("FAILED", "bold red"), None: ("      ", "dim")}[
            check.passed
        ]
        console.print(Text.assemble((f"{verdict}  {check.name}: ", style), check.reason))
    console.print(Text(found.sentences()[0], style="bold"))
    if json is not None:
        found.save(json)
    if report is not None:
        from adiabat.report import write_html

        details = {
            "potential": str(potential_file),
            "start": str(start),
            "data": str(data),
            "written": str(provenance()["created"]),
        }
        write_html(found.page(title=f"Validation of {potential_file.name}", details=details), report)
    if not found.passed:
        raise typer.Exit(EXIT_FOUND)

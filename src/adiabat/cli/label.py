"""``adiabat label``: labels by a quantum-mechanical code, or by whatever else is asked for the truth."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from adiabat.cli.app import EXIT_FOUND, Debug, app
from adiabat.cli.files import require_outputs
from adiabat.cli.options import grouped
from adiabat.cli.oracle_options import OracleOptions
from adiabat.data import read

SHOWN = 10
"""Reasons, of each sort."""


@app.command("label")
@grouped(oracle=OracleOptions)
def label_command(
    structures_file: Annotated[
        Path, typer.Argument(metavar="STRUCTURES", help="In any format that ASE reads.", show_default=False)
    ],
    *,
    oracle: OracleOptions,
    out: Annotated[Path, typer.Option("--out", help="Write the labelled structures (extended XYZ).")],
    store: Annotated[
        Path | None, typer.Option("--store", help="The label store (default: OUT with the suffix .db).")
    ] = None,
    json: Annotated[Path | None, typer.Option("--json", help="Write what became of each as JSON.")] = None,
    debug: Debug = False,
) -> None:
    """Label structures: energies, forces and stresses of one code with one choice of settings.

    Every label and every failure is written to the store at once; stopped or killed, the same command goes on. Unconverged
    calculations, forces that do not sum to zero, structures that come twice and the like are held back, with the reason; the
    exit status is 1 where a structure has no label.

    Example: adiabat label structures.xyz --oracle tblite --out labelled.xyz --workers 2
    """
    from adiabat.learning import LabelStore, label, write_labelled

    store = store or out.with_suffix(".db")
    require_outputs({"--out": out, "--json": json, "--store": store}, inputs={"STRUCTURES": structures_file})
    structures = read(structures_file, labels_required=False)
    summary = label(structures, oracle.chosen, store, workers=oracle.how)
    console = Console()
    for title, reasons in (("failed", summary.failed), ("held back", summary.rejected)):
        for place, reason in list(reasons.items())[:SHOWN]:
            console.print(Text(f"{title}: {place}: {reason}"), soft_wrap=True)
        if len(reasons) > SHOWN:
            console.print(f"and {len(reasons) - SHOWN} more {title}", soft_wrap=True)
    code = summary.code
    if summary.repeated:
        console.print(f"{summary.repeated} structures stand in {structures_file} more than once", soft_wrap=True)
    if summary.unnamed_energies:
        console.print(
            f"note: {summary.code.code} knows one energy; whether forces are its derivatives (with smearing they may not be) is "
            f"said by: adiabat doctor --oracle {oracle.oracle} --structure {structures_file}",
            soft_wrap=True,
        )
    still = f", {summary.open} still to be labelled (the same command goes on)" if summary.open else ""
    console.print(
        f"{summary.done} labels by {code.code} {code.version} in {store}, {summary.oracle_seconds:.0f} s of it{still}",
        soft_wrap=True,
    )
    if summary.done:
        write_labelled(LabelStore(store).labelled(), out)
    if json is not None:
        summary.save(json)
    if not summary.is_complete:
        raise typer.Exit(EXIT_FOUND)

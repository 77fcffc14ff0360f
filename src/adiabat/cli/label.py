"""``adiabat label``: labels by a quantum-mechanical code, or by whatever else is asked for the truth."""

from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.console import Console
from rich.text import Text

from adiabat.cli.app import EXIT_FOUND, Debug, app
from adiabat.cli.files import require_outputs
from adiabat.data import read
from adiabat.errors import ConfigurationError

SHOWN = 10
"""Reasons, of each sort."""


@app.command("label")
def label_command(
    structures_file: Annotated[
        Path, typer.Argument(metavar="STRUCTURES", help="In any format that ASE reads.", show_default=False)
    ],
    *,
    oracle: Annotated[
        str,
        typer.Option(help="gpaw, pyscf, tblite, module:factory of an ASE calculator, or a potential (.adiabat)."),
    ],
    out: Annotated[Path, typer.Option("--out", help="Write the labelled structures (extended XYZ).")],
    store: Annotated[
        Path | None, typer.Option("--store", help="The label store (default: OUT with the suffix .db).")
    ] = None,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes of the oracle.")] = 1,
    timeout_s: Annotated[float, typer.Option("--timeout-s", min=1.0, help="For one label.")] = 3600.0,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="A setting of the oracle: xc=PBE, cutoff_ev=400.")
    ] = None,
    oracle_python: Annotated[
        str | None, typer.Option("--oracle-python", help="The Python that the oracle's code is installed for.")
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
    from adiabat.learning import LabelStore, Oracle, label, write_labelled

    store = store or out.with_suffix(".db")
    require_outputs({"--out": out, "--json": json, "--store": store}, inputs={"STRUCTURES": structures_file})
    chosen = Oracle.named(oracle, settings=parsed_settings(settings or ()), python=oracle_python)
    structures = read(structures_file, labels_required=False)
    summary = label(structures, chosen, store, workers=workers, timeout_s=timeout_s)
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
            f"said by: adiabat doctor --oracle {oracle} --structure {structures_file}",
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


def parsed_settings(settings: list[str] | tuple[str, ...]) -> dict[str, Any]:
    """From key=value.

    Raises:
        ConfigurationError: One has no '='.
    """
    found = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or not value:
            raise ConfigurationError(
                f"'{setting}' is no setting", place="--set", rule="a setting is key=value", mend=f"write {name}=VALUE"
            )
        found[name] = yaml.safe_load(value)
    return found

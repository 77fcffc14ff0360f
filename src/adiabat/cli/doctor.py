"""``adiabat doctor``: which codes that label are there, and whether they say the truth."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from adiabat.cli.app import EXIT_FOUND, Debug, app
from adiabat.cli.files import require_outputs
from adiabat.cli.oracle_options import parsed_settings
from adiabat.data import read
from adiabat.errors import ConfigurationError
from adiabat.runs import track


@app.command("doctor")
def doctor_command(
    *,
    oracle: Annotated[str | None, typer.Option(help="One oracle alone, as `adiabat label` names it.")] = None,
    settings: Annotated[list[str] | None, typer.Option("--oracle-set", help="A setting of this oracle.")] = None,
    structure: Annotated[
        Path | None, typer.Option("--structure", help="To try them on, in place of silicon or water; its first frame.")
    ] = None,
    oracle_python: Annotated[
        str | None, typer.Option("--oracle-python", help="The Python that the codes are installed for.")
    ] = None,
    json: Annotated[Path | None, typer.Option("--json", help="Write what was found as JSON.")] = None,
    debug: Debug = False,
) -> None:
    """Say which oracles are installed, and try each: forces and stress against differences of the energy that is stored.

    The exit status is 1 where a code that is installed is wrong, or the one that was asked for cannot be used.

    Example: adiabat doctor --oracle tblite
    """
    from adiabat.learning import KNOWN, Doctor, Oracle, examine, known_oracles

    require_outputs({"--json": json}, inputs={"--structure": structure})
    atoms = None if structure is None else read(structure, labels_required=False)[0].atoms
    chosen = parsed_settings(settings or ())
    if chosen and oracle is None:
        raise ConfigurationError(
            f"{', '.join(chosen)} without an oracle",
            place="--oracle-set",
            rule="settings are those of one code",
            mend="name it: --oracle gpaw",
        )
    oracles = known_oracles(oracle_python)
    if oracle is not None:
        quick = KNOWN[oracle].quick if oracle in KNOWN else {}
        oracles = [Oracle.named(oracle, settings=quick | chosen, python=oracle_python)]
    with tempfile.TemporaryDirectory() as folder:
        tasks = enumerate(track(oracles, "examining oracles"))
        found = [examine(one, Path(folder) / str(place), atoms=atoms) for place, one in tasks]
    table = Table("oracle", "version", "s", "force error, eV/Å", "stress error, GPa")
    for one in found:
        values = (one.seconds, one.force_difference_ev_per_angstrom, one.stress_difference_gpa)
        table.add_row(one.name, one.version or "-", *("-" if value is None else f"{value:.2g}" for value in values))
    console = Console()
    console.print(table)
    for one in found:
        if one.reason is not None:
            console.print(Text(f"{one.name}: {one.reason}\n  mend: {one.mend}"), soft_wrap=True)
    if json is not None:
        Doctor(tuple(found)).save(json)
    if any(one.reason is not None and (one.version is not None or oracle is not None) for one in found):
        raise typer.Exit(EXIT_FOUND)

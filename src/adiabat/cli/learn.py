"""``adiabat learn``: a potential from a structure and an oracle."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from adiabat.cli.app import EXIT_FOUND, Debug, Threads, app
from adiabat.cli.files import require_outputs
from adiabat.cli.label import parsed_settings
from adiabat.cli.options import grouped
from adiabat.data import read

ENDS = {
    "sure": "the potential is sure of what its simulations meet",
    "budget": "the budget is spent",
    "nothing new": "there was nothing new to ask for",
}


@dataclass(frozen=True)
class OracleOptions:
    """What labels."""

    oracle: Annotated[
        str, typer.Option(help="gpaw, pyscf, tblite, module:factory of an ASE calculator, or a potential (.adiabat).")
    ]
    oracle_settings: Annotated[
        list[str] | None, typer.Option("--oracle-set", help="A setting of the oracle: xc=PBE, cutoff_ev=400.")
    ] = None
    oracle_python: Annotated[
        str | None, typer.Option("--oracle-python", help="The Python that the oracle's code is installed for.")
    ] = None
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes of the oracle.")] = 1


@app.command("learn")
@grouped(oracle=OracleOptions)
def learn_command(
    start_file: Annotated[
        Path, typer.Argument(metavar="START", help="A structure, in any format that ASE reads.", show_default=False)
    ],
    *,
    oracle: OracleOptions,
    out: Annotated[Path, typer.Option("--out", help="The folder of the run.")],
    config_file: Annotated[Path | None, typer.Option("--config", help="A configuration (YAML).")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="budget=100, temperature_k=[300,1500], train.basis.size=medium ..."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in the folder.")] = False,
    threads: Threads = None,
    debug: Debug = False,
) -> None:
    """Learn a potential from a structure: explore until unsure, ask the oracle, train, and go on.

    Structures around the start are labelled first. Then each generation simulates by the potential so far, at several
    temperatures and volumes, and asks for labels of frames that the potential is unsure of, chosen so that they say most. It
    ends when the potential is sure of what it meets (exit status 0) or the budget is spent (exit status 1). Stopped or killed,
    it goes on with --resume, and no label is asked for twice.

    Example: adiabat learn start.xyz --oracle tblite --out run --set budget=60
    """
    from adiabat.learning import LearnConfig, Oracle, learn

    require_outputs({}, inputs={"START": start_file, "--config": config_file})
    config = LearnConfig.load(config_file, settings or ())
    chosen = Oracle.named(
        oracle.oracle, settings=parsed_settings(oracle.oracle_settings or ()), python=oracle.oracle_python
    )
    start = read(start_file, labels_required=False)[0].atoms
    summary = learn(start, chosen, config, folder=out, workers=oracle.workers, resume=resume)
    console = Console()
    for number, one in enumerate(summary.generations):
        seen = ""
        if one.new_force_rmse_ev_per_angstrom is not None:
            seen = (
                f"; on {one.new_labels} new labels errors of {one.new_force_rmse_ev_per_angstrom:.3f} eV/Å, "
                f"said to be {one.new_force_std_ev_per_angstrom:.3f}"
            )
        console.print(
            f"generation {number}: {one.labels} labels, forces left out {one.left_out_force_rmse_ev_per_angstrom:.3f} eV/Å, "
            f"{one.fraction_flagged:.0%} of the frames unsure, {one.broken_off} simulations broken off{seen}",
            soft_wrap=True,
        )
    console.print(
        f"{ENDS[summary.why]}: {summary.labels} labels of {summary.requests} requests, {summary.oracle_seconds:.0f} s of "
        f"the oracle; {out / 'potential.adiabat'}",
        soft_wrap=True,
    )
    if summary.why != "sure":
        raise typer.Exit(EXIT_FOUND)

"""``adiabat order``: the order of an alloy at a temperature, by Monte Carlo."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from ase.io import write

from adiabat.cli.app import EXIT_FOUND, Debug, Threads, app
from adiabat.cli.measuring import (
    Output,
    PotentialName,
    Shown,
    StructureName,
    read_potential,
    read_structure,
    write_out,
)
from adiabat.cli.options import grouped
from adiabat.properties.alloys.order import alloy_order, drift_figure, order_sentences
from adiabat.properties.alloys.views import order_figure, order_table
from adiabat.results import StructureView
from adiabat.runs import atomic_path
from adiabat.sampling import ExchangeSettings


@dataclass(frozen=True)
class Sampling:
    """The ensemble, and how long it is sampled."""

    temperature_k: Annotated[float, typer.Option(help="Of the ensemble.")]
    chains: Annotated[int, typer.Option(help="Independent ones; their spread is the sampling error.")] = 8
    sweeps: Annotated[int, typer.Option(help="That count, one try for each site in each.")] = 100
    equilibration: Annotated[int, typer.Option(help="Sweeps before them.")] = 50
    vibrations: Annotated[
        int, typer.Option(help="Short trajectories of all atoms in each sweep; 0: atoms stay on their sites.")
    ] = 5
    seed: Annotated[int, typer.Option(min=0, help="Of the random numbers.")] = 0

    @property
    def settings(self) -> ExchangeSettings:
        """As the library takes them."""
        return ExchangeSettings(
            self.temperature_k,
            sweeps=self.sweeps,
            equilibration_sweeps=self.equilibration,
            vibrations_per_sweep=self.vibrations,
            seed=self.seed,
        )


@app.command("order")
@grouped(sampling=Sampling, output=Output)
def order_command(
    potential: PotentialName,
    structure: StructureName,
    *,
    sampling: Sampling,
    out: Annotated[Path | None, typer.Option(help="Write the cells as the chains end (.xyz).")] = None,
    output: Output,
    threads: Threads = None,
    debug: Debug = False,
) -> None:
    """Which elements of an alloy stand next to which at a temperature: exchanges and vibrations by Monte Carlo.

    The cell stays as it is given: relax it first. Its elements are shuffled anew in each chain. Where the energy still drifts, the exit
    status is 1.

    Example: adiabat order hea.adiabat sqs.xyz --temperature-k 1000 --out ordered.xyz --json order.json
    """
    output.require(potential, {"STRUCTURE": structure}, **{"--out": out})
    used = read_potential(potential)
    found = alloy_order(
        read_structure(structure),
        used,
        sampling.settings,
        chains=sampling.chains,
        members=output.members,
        error_bars=output.error_bars,
    )
    result = found.result
    if out is not None:
        with atomic_path(out) as temporary:
            write(temporary, list(result.cells), format="extxyz")
    shown = Shown(
        title=f"Order of {structure.name} at {result.temperature_k:g} K by {Path(potential).name}",
        sentences=order_sentences(result),
        tables=(order_table(result),),
        figures=(order_figure(result), drift_figure(result)),
        structures=[StructureView("cell", "The first chain at its end", result.cells[0])],
    )
    write_out(found, shown, output, potential=used, name=potential)
    if result.drifts:
        raise typer.Exit(EXIT_FOUND)

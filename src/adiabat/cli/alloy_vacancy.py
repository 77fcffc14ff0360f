"""``adiabat alloy-vacancy``: formation energies of vacancies over the sites of an alloy."""

from pathlib import Path
from typing import Annotated

import typer

from adiabat.cli.app import Debug, Threads, app
from adiabat.cli.measuring import Output, PotentialName, Shown, read_potential, write_out
from adiabat.cli.options import grouped
from adiabat.cli.relax import read_structures
from adiabat.cli.vacancy import chemical_potentials_of
from adiabat.potential import Potential
from adiabat.properties import measured
from adiabat.properties.defects.alloy_vacancies import (
    AlloyVacancies,
    alloy_vacancies,
    alloy_vacancy_figures,
    alloy_vacancy_sentences,
    alloy_vacancy_table,
    of_member,
)
from adiabat.results import StructureView

PRINTED = (
    "mean_formation_energy_ev",
    "spread_formation_energy_ev",
    "lowest_formation_energy_ev",
    "formation_energy_ev",
)


@app.command("alloy-vacancy")
@grouped(output=Output)
def alloy_vacancy_command(
    potential: PotentialName,
    cells: Annotated[
        Path,
        typer.Argument(metavar="CELLS", help="A file with one supercell of the alloy, or several.", show_default=False),
    ],
    *,
    sites: Annotated[int, typer.Option(help="Shared by the cells, and in each by the elements.")] = 100,
    chemical_potential: Annotated[
        list[str] | None,
        typer.Option(
            help="W=-13.0, in eV as the potential counts (default: the element's ground state); several times."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the choice of the sites.")] = 0,
    output: Output,
    threads: Threads = None,
    debug: Debug = False,
) -> None:
    """Formation energies of vacancies over the sites of an alloy: a distribution for each element, every vacancy relaxed.

    Cells are relaxed first, positions and cell. They come from `adiabat sqs` (random) or `adiabat order` (ordered by Monte Carlo).

    Example: adiabat alloy-vacancy hea.adiabat sqs.xyz --sites 100 --json vacancies.json --report vacancies.html
    """
    output.require(potential, {"CELLS": cells})
    given = chemical_potentials_of(chemical_potential or ())
    used = read_potential(potential)
    own = alloy_vacancies(read_structures(cells), used, sites=sites, given_chemical_potentials=given, seed=seed)

    def property(member: Potential) -> AlloyVacancies:
        return own if member is used else of_member(own, member, given)

    found = measured(property, used, members=output.members, error_bars=output.error_bars)
    lowest = int(own.formation_energy_ev.argmin())
    shown = Shown(
        title=f"Vacancies over the sites of {cells.name} by {Path(potential).name}",
        sentences=alloy_vacancy_sentences(own),
        tables=(alloy_vacancy_table(found),),
        figures=alloy_vacancy_figures(found),
        structures=[
            StructureView("lowest", f"The cheapest vacancy, of {own.elements_of_sites[lowest]}", own.structures[lowest])
        ],
        printed=PRINTED,
    )
    write_out(found, shown, output, potential=used, name=potential)

"""``adiabat antisite``: formation energies of atoms of another element."""

from pathlib import Path
from typing import Annotated

import typer

from adiabat.cli.app import Debug, Threads, app
from adiabat.cli.measuring import (
    ChemicalPotentials,
    NoRelax,
    Output,
    PotentialName,
    Repeats,
    Shown,
    StructureName,
    read_potential,
    read_structure,
    repeats_of,
    rest_sentence,
    write_out,
)
from adiabat.cli.options import grouped
from adiabat.cli.vacancy import chemical_potentials_of
from adiabat.properties import from_rest, measured
from adiabat.properties.defects.antisites import antisite_figures, antisite_sentences, antisites
from adiabat.results import StructureView


@app.command("antisite")
@grouped(output=Output)
def antisite_command(
    potential: PotentialName,
    structure: StructureName,
    *,
    element: Annotated[
        str | None, typer.Option(help="Put on every site that does not hold it (default: each of the crystal's own).")
    ] = None,
    repeats: Repeats = None,
    chemical_potential: ChemicalPotentials = None,
    no_relax: NoRelax = False,
    output: Output,
    threads: Threads = None,
    debug: Debug = False,
) -> None:
    """Formation energies of antisites, or of a solute with --element, on every site that symmetry tells apart.

    The structure is relaxed first, positions and cell.

    Example: adiabat antisite nimo.adiabat ni3mo.cif --json antisites.json
    """
    output.require(potential, {"STRUCTURE": structure})
    cells, given = repeats_of(repeats), chemical_potentials_of(chemical_potential or ())
    used, atoms = read_potential(potential), read_structure(structure)
    rest, property = from_rest(
        lambda own, member: antisites(own, member, element=element, repeats=cells, given_chemical_potentials=given),
        atoms,
        used,
        relax_first=not no_relax,
    )
    found = measured(property, used, members=output.members, error_bars=output.error_bars)
    shown = Shown(
        title=f"Antisites in {structure.name} by {Path(potential).name}",
        sentences=(rest_sentence(rest, relaxed=not no_relax), *antisite_sentences(found.result)),
        figures=antisite_figures(found.result),
        structures=[
            StructureView(f"antisite-{place}", f"{added} for {removed}", at_rest)
            for place, (added, removed, at_rest) in enumerate(
                zip(found.result.added, found.result.removed, found.result.structures, strict=True)
            )
        ],
    )
    write_out(found, shown, output, potential=used, name=potential)

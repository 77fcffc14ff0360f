"""``adiabat interstitial``: formation energies of extra atoms."""

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
from adiabat.properties.defects import distinct_holes, interstitials
from adiabat.properties.defects.interstitials import interstitial_figures, interstitial_sentences
from adiabat.results import StructureView


@app.command("interstitial")
@grouped(output=Output)
def interstitial_command(
    potential: PotentialName,
    structure: StructureName,
    *,
    element: Annotated[
        str | None, typer.Option(help="Of the extra atom (default: that of the crystal, where it is an element).")
    ] = None,
    repeats: Repeats = None,
    chemical_potential: ChemicalPotentials = None,
    no_relax: NoRelax = False,
    output: Output,
    threads: Threads = None,
    debug: Debug = False,
) -> None:
    """Formation energies of an extra atom, in every hole of the crystal that symmetry tells apart.

    The structure is relaxed first, positions and cell. Holes are the corners of the atoms' Voronoi cells; where two relax to one energy, they
    have become one defect.

    Example: adiabat interstitial si.adiabat si.cif --json interstitial.json
    """
    output.require(potential, {"STRUCTURE": structure})
    cells, given = repeats_of(repeats), chemical_potentials_of(chemical_potential or ())
    used, atoms = read_potential(potential), read_structure(structure)
    rest, _ = from_rest(interstitials, atoms, used, relax_first=not no_relax)
    holes = distinct_holes(rest)
    rest, property = from_rest(
        lambda own, member: interstitials(
            own, member, element=element, repeats=cells, given_chemical_potentials=given, holes=holes
        ),
        rest,
        used,
        relax_first=False,
    )
    found = measured(property, used, members=output.members, error_bars=output.error_bars)
    shown = Shown(
        title=f"Interstitials in {structure.name} by {Path(potential).name}",
        sentences=(rest_sentence(rest, relaxed=not no_relax), *interstitial_sentences(found.result)),
        figures=interstitial_figures(found.result),
        structures=[
            StructureView(f"interstitial-{place}", f"Hole {place}", at_rest)
            for place, at_rest in enumerate(found.result.structures)
        ],
    )
    write_out(found, shown, output, potential=used, name=potential)

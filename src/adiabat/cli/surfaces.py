"""``adiabat surfaces``: surface energies and the equilibrium shape."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from adiabat.cli.app import Debug, Threads, app
from adiabat.cli.measuring import (
    NoRelax,
    Output,
    PotentialName,
    Shown,
    StructureName,
    read_potential,
    read_structure,
    rest_sentence,
    write_out,
)
from adiabat.cli.options import grouped
from adiabat.properties import from_rest, measured
from adiabat.properties.surfaces import surfaces
from adiabat.properties.surfaces.energies import surface_figures, surface_table
from adiabat.properties.surfaces.slabs import as_text
from adiabat.results import StructureView

MOST_SHOWN = 4
"""Slabs that a report shows in three dimensions."""


@app.command("surfaces")
@grouped(output=Output)
def surfaces_command(
    potential: PotentialName,
    structure: StructureName,
    *,
    highest_index: Annotated[int, typer.Option(help="Of the planes.")] = 1,
    thickness: Annotated[float, typer.Option(help="Å, of the slabs, at least.")] = 15.0,
    vacuum: Annotated[float, typer.Option(help="Å, between a slab and its image.")] = 12.0,
    no_relax: NoRelax = False,
    output: Output,
    threads: Threads = None,
    debug: Debug = False,
) -> None:
    """Energies of all surfaces that symmetry tells apart, up to a Miller index, and the shape that they make (Wulff).

    The crystal is relaxed first, positions and cell, then all slabs together. Errors stand apart: of the potential, of the slabs'
    thickness; and what the relaxation of the slabs gained.

    Example: adiabat surfaces si.adiabat si.cif --highest-index 2 --json surfaces.json
    """
    output.require(potential, {"STRUCTURE": structure})
    used, atoms = read_potential(potential), read_structure(structure)
    rest, property = from_rest(
        lambda own, member: surfaces(
            own, member, highest_index=highest_index, thickness_angstrom=thickness, vacuum_angstrom=vacuum
        ),
        atoms,
        used,
        relax_first=not no_relax,
    )
    found = measured(property, used, members=output.members, error_bars=output.error_bars)
    std = found.std("surface_energy_j_per_m2")
    views = zip(found.result.miller_indices[:MOST_SHOWN], found.result.slabs, strict=False)
    shown = Shown(
        title=f"Surfaces of {structure.name} by {Path(potential).name}",
        sentences=(rest_sentence(rest, relaxed=not no_relax),),
        tables=(surface_table(found.result, None if std is None else np.asarray(std)),),
        figures=surface_figures(found.result),
        structures=[
            StructureView(f"slab-{place}", f"Slab {as_text(miller)}", slab)
            for place, (miller, slab) in enumerate(views)
        ],
        printed=("mean_surface_energy_j_per_m2", "wulff_anisotropy"),
    )
    write_out(found, shown, output, potential=used, name=potential)

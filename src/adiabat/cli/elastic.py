"""``adiabat elastic``: the stiffness of a crystal."""

from pathlib import Path
from typing import Annotated

import typer

from adiabat.cli.app import Debug, Threads, app
from adiabat.cli.measuring import (
    NoRelax,
    Output,
    PotentialName,
    PressureGpa,
    Shown,
    StructureName,
    read_potential,
    read_structure,
    rest_sentence,
    write_out,
)
from adiabat.cli.options import grouped
from adiabat.properties import elasticity, from_rest, measured
from adiabat.properties.elasticity import Ions, elasticity_sentences, stiffness_tables, young_figure

PRINTED = (
    "bulk_modulus_gpa",
    "shear_modulus_gpa",
    "young_modulus_gpa",
    "poisson_ratio",
    "universal_anisotropy",
    "eigenvalues_gpa",
    "density_kg_per_m3",
)
"""Beside the tables; JSON and report hold all."""


@app.command("elastic")
@grouped(output=Output)
def elastic_command(
    potential: PotentialName,
    structure: StructureName,
    *,
    pressure_gpa: PressureGpa = 0.0,
    ions: Annotated[
        Ions | None,
        typer.Option(
            help="How atoms follow a strain: response (linear; the default for cells up to 100 atoms) or relaxation."
        ),
    ] = None,
    no_relax: NoRelax = False,
    output: Output,
    threads: Threads = None,
    debug: Debug = False,
) -> None:
    """The stiffness tensor of a crystal, with clamped and relaxed ions; moduli, stability, Young's modulus by direction.

    The structure is relaxed first, positions and cell; a primitive cell will do. The tensor stands in the Cartesian axes of the
    file, in the order xx yy zz yz xz xy.

    Example: adiabat elastic si.adiabat si.cif --json elastic.json --report elastic.html
    """
    output.require(potential, {"STRUCTURE": structure})
    used, atoms = read_potential(potential), read_structure(structure)
    rest, property = from_rest(
        lambda own, member: elasticity(own, member, pressure_gpa=pressure_gpa, ions=ions),
        atoms,
        used,
        relax_first=not no_relax,
        pressure_gpa=pressure_gpa,
    )
    found = measured(property, used, members=output.members, error_bars=output.error_bars)
    shown = Shown(
        title=f"Elasticity of {structure.name} by {Path(potential).name}",
        sentences=(rest_sentence(rest, relaxed=not no_relax), *elasticity_sentences(found.result)),
        tables=stiffness_tables(found),
        figures=(young_figure(found.result),),
        printed=PRINTED,
    )
    write_out(found, shown, output, potential=used, name=potential)

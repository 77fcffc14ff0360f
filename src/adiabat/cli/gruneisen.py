"""``adiabat gruneisen``: how vibrations change with the volume."""

from pathlib import Path
from typing import Annotated

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
from adiabat.cli.vibrating import Supercell, measured_from, temperatures_to
from adiabat.properties import from_rest
from adiabat.properties.phonons import gruneisen
from adiabat.properties.phonons.gruneisen import VOLUME_CHANGE
from adiabat.properties.phonons.thermal_views import gruneisen_figures, gruneisen_sentences, gruneisen_tables


@app.command("gruneisen")
@grouped(supercell=Supercell, output=Output)
def gruneisen_command(
    potential: PotentialName,
    structure: StructureName,
    *,
    supercell: Supercell,
    volume_change: Annotated[float, typer.Option(help="Relative, either way.")] = VOLUME_CHANGE,
    to_k: Annotated[float, typer.Option(help="Averages are taken from 20 K up to here.")] = 1000.0,
    no_relax: NoRelax = False,
    output: Output,
    threads: Threads = None,
    debug: Debug = False,
) -> None:
    """Mode Grüneisen parameters of a crystal along the path of its symmetry, their averages, and the thermal expansion that follows.

    The structure is relaxed first, positions and cell. Imaginary modes are refused.

    Example: adiabat gruneisen si.adiabat si.cif --json gruneisen.json --report gruneisen.html
    """
    output.require(potential, {"STRUCTURE": structure})
    temperatures = temperatures_to(to_k, lowest_k=20.0, step_k=20.0)
    used, atoms = read_potential(potential), read_structure(structure)
    rest, _ = from_rest(gruneisen, atoms, used, relax_first=not no_relax)
    setup = supercell.setup(rest, used)
    found = measured_from(
        rest,
        used,
        lambda own, member: gruneisen(
            own, member, setup=setup, volume_change=volume_change, temperatures_k=temperatures
        ),
        members=output.members,
        error_bars=output.error_bars,
    )
    shown = Shown(
        title=f"Grüneisen parameters of {structure.name} by {Path(potential).name}",
        sentences=(rest_sentence(rest, relaxed=not no_relax), *gruneisen_sentences(found.result)),
        tables=gruneisen_tables(found),
        figures=gruneisen_figures(found),
        printed=("bulk_modulus_gpa",),
    )
    write_out(found, shown, output, potential=used, name=potential)

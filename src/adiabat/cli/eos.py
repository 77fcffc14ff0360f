"""``adiabat eos``: the equation of state of a crystal."""

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
from adiabat.properties import equation_of_state, from_rest, measured
from adiabat.properties.equation_of_state import equation_of_state_figures


@app.command("eos")
@grouped(output=Output)
def eos_command(
    potential: PotentialName,
    structure: StructureName,
    *,
    spread: Annotated[float, typer.Option(help="Volumes from 1 - spread to 1 + spread times that at rest.")] = 0.06,
    points: Annotated[int, typer.Option(help="Volumes.")] = 13,
    no_relax: NoRelax = False,
    output: Output,
    threads: Threads = None,
    debug: Debug = False,
) -> None:
    """Energy against volume, fitted by Birch and Murnaghan's and by Vinet's equation: volume, bulk modulus and its derivative.

    The structure is relaxed first, positions and cell; at each volume its shape and positions are relaxed again.

    Example: adiabat eos si.adiabat si.cif --json eos.json --report eos.html
    """
    output.require(potential, {"STRUCTURE": structure})
    used, atoms = read_potential(potential), read_structure(structure)
    volumes = np.linspace(1 - spread, 1 + spread, points)
    rest, property = from_rest(
        lambda own, member: equation_of_state(own, member, relative_volumes=volumes),
        atoms,
        used,
        relax_first=not no_relax,
    )
    found = measured(property, used, members=output.members, error_bars=output.error_bars)
    std = found.std("energies_ev_per_atom")
    shown = Shown(
        title=f"Equation of state of {structure.name} by {Path(potential).name}",
        sentences=(rest_sentence(rest, relaxed=not no_relax),),
        figures=equation_of_state_figures(found.result, None if std is None else np.asarray(std)),
    )
    write_out(found, shown, output, potential=used, name=potential)

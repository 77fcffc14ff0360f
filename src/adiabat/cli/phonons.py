"""``adiabat phonons``: lattice vibrations."""

from pathlib import Path

import typer

from adiabat.cli.app import EXIT_FOUND, Debug, Threads, app
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
from adiabat.cli.vibrating import Supercell, measured_from
from adiabat.properties import from_rest
from adiabat.properties.phonons import phonons
from adiabat.properties.phonons.views import phonon_figures, phonon_sentences, phonon_tables

PRINTED = ("highest_frequency_thz", "lowest_frequency_thz", "zero_point_energy_ev_per_atom")


@app.command("phonons")
@grouped(supercell=Supercell, output=Output)
def phonons_command(
    potential: PotentialName,
    structure: StructureName,
    *,
    supercell: Supercell,
    no_relax: NoRelax = False,
    output: Output,
    threads: Threads = None,
    debug: Debug = False,
) -> None:
    """Phonons of a crystal: dispersion along the path of its symmetry, density of states, speed of sound, heat capacity.

    The structure is relaxed first, positions and cell, and its primitive cell is taken. Imaginary modes are named, and the exit status
    is then 1. Too small a supercell for the reach of the potential is refused.

    Example: adiabat phonons si.adiabat si.cif --json phonons.json --report phonons.html
    """
    output.require(potential, {"STRUCTURE": structure})
    used, atoms = read_potential(potential), read_structure(structure)
    rest, _ = from_rest(phonons, atoms, used, relax_first=not no_relax)
    setup = supercell.setup(rest, used)
    own = phonons(rest, used, setup=setup)
    found = measured_from(
        rest,
        used,
        lambda start, member: (
            own if member is used else phonons(start, member, setup=setup, dos_frequencies_thz=own.dos_frequencies_thz)
        ),
        members=output.members,
        error_bars=output.error_bars,
    )
    shown = Shown(
        title=f"Phonons of {structure.name} by {Path(potential).name}",
        sentences=(rest_sentence(rest, relaxed=not no_relax), *phonon_sentences(found.result)),
        tables=phonon_tables(found),
        figures=phonon_figures(found),
        printed=PRINTED,
    )
    write_out(found, shown, output, potential=used, name=potential)
    if not found.result.stable:
        raise typer.Exit(EXIT_FOUND)

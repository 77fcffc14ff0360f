"""``adiabat conductivity``: heat that phonons carry."""

from dataclasses import dataclass
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
    repeats_of,
    rest_sentence,
    write_out,
)
from adiabat.cli.options import grouped
from adiabat.cli.vibrating import Supercell, measured_from, temperatures_to
from adiabat.properties import from_rest
from adiabat.properties.phonons import ConductivitySetup, PhononSetup, conductivity
from adiabat.properties.phonons.thermal_views import conductivity_figures, conductivity_sentences, conductivity_tables


@dataclass(frozen=True)
class Scattering:
    """What scatters, and on which mesh."""

    mesh: Annotated[
        str | None, typer.Option(help="Of wave vectors: 11,11,11 (default: 40 Å over the cell's lengths).")
    ] = None
    isotopes: Annotated[bool, typer.Option("--isotopes", help="The natural isotopes scatter too.")] = False

    def setup(self, phonons: PhononSetup) -> ConductivitySetup:
        """As the library takes it."""
        return ConductivitySetup.of(phonons, mesh=repeats_of(self.mesh, option="--mesh"), isotopes=self.isotopes)


@app.command("conductivity")
@grouped(scattering=Scattering, supercell=Supercell, output=Output)
def conductivity_command(
    potential: PotentialName,
    structure: StructureName,
    *,
    scattering: Scattering,
    to_k: Annotated[float, typer.Option(help="Temperatures are taken from 100 K up to here.")] = 1000.0,
    supercell: Supercell,
    no_relax: NoRelax = False,
    output: Output,
    threads: Threads = None,
    debug: Debug = False,
) -> None:
    """The lattice thermal conductivity of a crystal, its phonons scattering three at a time (phono3py; pip install 'adiabat[conductivity]').

    The structure is relaxed first, positions and cell. Scattering takes most of the time, again for each member: --members 4, or
    --no-error-bars, and a coarse --mesh first.

    Example: adiabat conductivity si.adiabat si.cif --mesh 11,11,11 --members 4 --json conductivity.json
    """
    output.require(potential, {"STRUCTURE": structure})
    temperatures = temperatures_to(to_k, lowest_k=100.0, step_k=50.0)
    used, atoms = read_potential(potential), read_structure(structure)
    rest, _ = from_rest(conductivity, atoms, used, relax_first=not no_relax)
    setup = scattering.setup(supercell.setup(rest, used))
    found = measured_from(
        rest,
        used,
        lambda own, member: conductivity(own, member, setup=setup, temperatures_k=temperatures),
        members=output.members,
        error_bars=output.error_bars,
    )
    shown = Shown(
        title=f"Lattice thermal conductivity of {structure.name} by {Path(potential).name}",
        sentences=(rest_sentence(rest, relaxed=not no_relax), *conductivity_sentences(found.result)),
        tables=conductivity_tables(found),
        figures=conductivity_figures(found),
        printed=(),
    )
    write_out(found, shown, output, potential=used, name=potential)

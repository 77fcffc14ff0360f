"""``adiabat qha``: how a crystal expands and softens with temperature."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
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
from adiabat.cli.vibrating import Supercell, measured_from, temperatures_to
from adiabat.properties import from_rest
from adiabat.properties.phonons import quasi_harmonic
from adiabat.properties.phonons.quasi_harmonic import VOLUMES
from adiabat.properties.phonons.thermal_views import (
    quasi_harmonic_figures,
    quasi_harmonic_sentences,
    quasi_harmonic_tables,
)


@dataclass(frozen=True)
class Volumes:
    """At which vibrations are taken."""

    smallest: Annotated[float, typer.Option(help="Volume, relative to that at rest.")] = float(VOLUMES[0])
    largest: Annotated[float, typer.Option(help="Likewise: as far as the crystal expands.")] = float(VOLUMES[-1])
    volumes: Annotated[int, typer.Option(help="How many.")] = len(VOLUMES)

    @property
    def relative(self) -> np.ndarray:
        """(n,)."""
        return np.linspace(self.smallest, self.largest, max(self.volumes, 0))


@app.command("qha")
@grouped(volumes=Volumes, supercell=Supercell, output=Output)
def qha_command(
    potential: PotentialName,
    structure: StructureName,
    *,
    volumes: Volumes,
    to_k: Annotated[float, typer.Option(help="Temperatures are taken from 0 K up to here.")] = 1000.0,
    pressure_gpa: PressureGpa = 0.0,
    supercell: Supercell,
    no_relax: NoRelax = False,
    output: Output,
    threads: Threads = None,
    debug: Debug = False,
) -> None:
    """The quasi-harmonic approximation: volume, thermal expansion, bulk modulus and heat capacity against temperature.

    The structure is relaxed first, positions and cell; at each volume its shape and positions are relaxed again. Imaginary modes at one of
    the volumes, and a crystal that outgrows them, are refused.

    Example: adiabat qha si.adiabat si.cif --to-k 800 --json qha.json --report qha.html
    """
    output.require(potential, {"STRUCTURE": structure})
    temperatures = temperatures_to(to_k, lowest_k=0.0, step_k=20.0)
    used, atoms = read_potential(potential), read_structure(structure)
    rest, _ = from_rest(quasi_harmonic, atoms, used, relax_first=not no_relax, pressure_gpa=pressure_gpa)
    setup = supercell.setup(rest, used)
    found = measured_from(
        rest,
        used,
        lambda own, member: quasi_harmonic(
            own,
            member,
            setup=setup,
            relative_volumes=volumes.relative,
            temperatures_k=temperatures,
            pressure_gpa=pressure_gpa,
        ),
        members=output.members,
        error_bars=output.error_bars,
        pressure_gpa=pressure_gpa,
    )
    shown = Shown(
        title=f"Quasi-harmonic {structure.name} by {Path(potential).name}",
        sentences=(rest_sentence(rest, relaxed=not no_relax), *quasi_harmonic_sentences(found.result)),
        tables=quasi_harmonic_tables(found),
        figures=quasi_harmonic_figures(found),
        printed=("static_volume_cubic_angstrom_per_atom", "static_bulk_modulus_gpa"),
    )
    write_out(found, shown, output, potential=used, name=potential)

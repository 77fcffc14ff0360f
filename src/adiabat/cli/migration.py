"""``adiabat migration``: barriers of a vacancy's hops."""

from pathlib import Path
from typing import Annotated

import typer

from adiabat.cli.app import Debug, Threads, app
from adiabat.cli.measuring import (
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
from adiabat.potential import Potential
from adiabat.properties import crystal_at_rest, measured
from adiabat.properties.defects.migrations import (
    Migrations,
    migration_figures,
    migration_sentences,
    migrations,
    migrations_of_member,
)
from adiabat.properties.paths import BandSettings
from adiabat.results import StructureView


@app.command("migration")
@grouped(output=Output)
def migration_command(
    potential: PotentialName,
    structure: StructureName,
    *,
    repeats: Repeats = None,
    images: Annotated[int, typer.Option(help="Of each band, between its ends.")] = 5,
    force_tolerance: Annotated[float, typer.Option(help="eV/Å, of the bands.")] = 0.02,
    no_relax: NoRelax = False,
    output: Output,
    threads: Threads = None,
    debug: Debug = False,
) -> None:
    """Barriers of the hops of neighbours into a vacancy, one for each kind of hop that symmetry and distance tell apart.

    The structure is relaxed first, positions and cell.

    Example: adiabat migration mo.adiabat mo.cif --json migration.json
    """
    output.require(potential, {"STRUCTURE": structure})
    cells, how = repeats_of(repeats), BandSettings(tolerance=force_tolerance)
    used, atoms = read_potential(potential), read_structure(structure)
    rest = crystal_at_rest(atoms, used, relax_first=not no_relax)
    own = migrations(rest, used, repeats=cells, images=images, settings=how)

    def property(member: Potential) -> Migrations:
        return own if member is used else migrations_of_member(own, rest, member, how)

    found = measured(property, used, members=output.members, error_bars=output.error_bars)
    shown = Shown(
        title=f"Vacancy migration in {structure.name} by {Path(potential).name}",
        sentences=(rest_sentence(rest, relaxed=not no_relax), *migration_sentences(own)),
        figures=migration_figures(found),
        structures=[
            StructureView(f"hop-{n}", f"Hop {n} at its highest", path.images[int(path.energies_ev.argmax())])
            for n, path in enumerate(own.paths)
        ],
    )
    write_out(found, shown, output, potential=used, name=potential)

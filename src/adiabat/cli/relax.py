"""``adiabat relax``: atoms and cells at rest."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write

from adiabat.cli.app import EXIT_FOUND, Debug, Threads, app
from adiabat.cli.measuring import Output, PotentialName, PressureGpa, Shown, read_potential, write_out
from adiabat.cli.options import grouped
from adiabat.data.frames import iterate_frames
from adiabat.errors import DataError
from adiabat.potential import Potential
from adiabat.properties import Relaxations, RelaxationSettings, measured, relax
from adiabat.properties.relaxation.coordinates import Cell
from adiabat.properties.relaxation.settings import Method
from adiabat.properties.relaxation.several import member_relaxations, relaxation_figures, relaxations_table
from adiabat.results import StructureView
from adiabat.runs import atomic_path

MOST_SHOWN = 4
"""Structures that a report shows in three dimensions."""


@dataclass(frozen=True)
class Relaxing:
    """What moves, and when it is enough."""

    cell: Annotated[
        Cell,
        typer.Option(
            help="fixed, free, shape: free at its volume, or height: along the normal of its first two vectors."
        ),
    ] = "free"
    pressure_gpa: PressureGpa = 0.0
    force_tolerance: Annotated[float, typer.Option(help="eV/Å, on each atom.")] = 1e-3
    stress_tolerance: Annotated[float, typer.Option(help="GPa, of each component, less the pressure.")] = 0.01
    steps: Annotated[int, typer.Option(help="At most.")] = 500
    method: Annotated[Method, typer.Option(help="lbfgs, or fire for starts far from rest.")] = "lbfgs"
    keep_symmetry: Annotated[bool, typer.Option("--keep-symmetry", help="Keep the space group of the start.")] = False

    @property
    def settings(self) -> RelaxationSettings:
        """As the library takes them."""
        return RelaxationSettings(
            cell=self.cell,
            pressure_gpa=self.pressure_gpa,
            force_tolerance_ev_per_angstrom=self.force_tolerance,
            stress_tolerance_gpa=self.stress_tolerance,
            steps=self.steps,
            method=self.method,
            keep_symmetry=self.keep_symmetry,
        )


@app.command("relax")
@grouped(relaxing=Relaxing, output=Output)
def relax_command(
    potential: PotentialName,
    structures: Annotated[
        Path,
        typer.Argument(
            metavar="STRUCTURES",
            help="One or more, in any format that ASE reads; they are relaxed together.",
            show_default=False,
        ),
    ],
    *,
    relaxing: Relaxing,
    out: Annotated[
        Path | None, typer.Option(help="Write the structures as they end (.xyz, with energies and forces).")
    ] = None,
    output: Output,
    threads: Threads = None,
    debug: Debug = False,
) -> None:
    """Relax positions and cells, all structures of a file at once.

    Error bars are the scatter of what members of the potential's committees come to rest at. Where a structure does not come to
    rest, that is said with advice, and the exit status is 1. A structure without three periodic directions needs --cell fixed.

    Example: adiabat relax si.adiabat structures.xyz --out relaxed.xyz --json relaxed.json
    """
    settings = relaxing.settings
    output.require(potential, {"STRUCTURES": structures}, **{"--out": out})
    used = read_potential(potential)
    started = read_structures(structures)
    own = Relaxations.of(relax(started, used, settings))

    def of_member(member: Potential) -> Relaxations:
        return own if member is used else member_relaxations(started, member, settings, own=own)

    found = measured(of_member, used, members=output.members, error_bars=output.error_bars)
    if out is not None:
        write_relaxed(out, own, used)
    views = [
        StructureView(f"structure-{place}", f"Structure {place}: {one.formula}", one.atoms)
        for place, one in enumerate(own.each[:MOST_SHOWN])
    ]
    shown = Shown(
        title=f"Relaxation of {structures.name} by {Path(potential).name}",
        tables=(relaxations_table(own),),
        figures=relaxation_figures(own),
        structures=views,
        printed=None if len(started) <= MOST_SHOWN else ("energy_ev_per_atom",),
    )
    write_out(found, shown, output, potential=used, name=potential)
    _say_unfinished(own)


def read_structures(file: Path) -> list[Atoms]:
    """All of a file.

    Raises:
        DataError: It holds none, or cannot be read.
    """
    found = [atoms for _, atoms in iterate_frames(file)]
    if not found:
        raise DataError(
            "holds no structure", place=str(file), rule="a relaxation begins with one", mend="name another file"
        )
    return found


def write_relaxed(file: Path, found: Relaxations, potential: Potential) -> None:
    """Write the structures with what the potential says of them, whole or not at all."""
    frames: Sequence[Atoms] = [one.atoms.copy() for one in found.each]
    calculator = potential.calculator()
    for atoms in frames:
        atoms.calc = calculator
        energy, forces = atoms.get_potential_energy(), atoms.get_forces()
        atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=forces)
    with atomic_path(file) as temporary:
        write(temporary, frames, format="extxyz")


def _say_unfinished(found: Relaxations) -> None:
    unfinished = [(place, one) for place, one in enumerate(found.each) if not one.converged]
    for place, one in unfinished:
        print(f"structure {place}, {one.formula}: not at rest: {one.advice}", file=sys.stderr)
    if unfinished:
        raise typer.Exit(EXIT_FOUND)

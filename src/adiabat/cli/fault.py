"""``adiabat fault``: generalised stacking faults."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer

from adiabat.cli.app import Debug, Threads, app
from adiabat.cli.boundary import plane_of
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
from adiabat.errors import ConfigurationError
from adiabat.properties import from_rest, measured
from adiabat.properties.faults import stacking_faults
from adiabat.properties.faults.line import fault_figures, fault_sentences
from adiabat.results import StructureView

PRINTED = ("unstable_energy_j_per_m2", "end_energy_j_per_m2", "fault_energy_j_per_m2")


@dataclass(frozen=True)
class FaultLine:
    """The plane, and the line along it."""

    plane: Annotated[str, typer.Option(help="Of the fault: 1,1,1.")]
    direction: Annotated[str, typer.Option(help="Of the slide, in the plane: 1,1,-2.")]
    length: Annotated[
        str, typer.Option(help="In shares of the direction's vector: 1/6 leads to fcc's intrinsic fault.")
    ] = "1"
    points: Annotated[int, typer.Option(help="On the line, both ends among them.")] = 9
    thickness_angstrom: Annotated[float, typer.Option(help="Between the fault and its image, at least.")] = 18.0
    cut: Annotated[
        int, typer.Option(help="Between which atomic planes: 0 the widest gap (shuffle), 1 the next (glide).")
    ] = 0


@app.command("fault")
@grouped(line=FaultLine, output=Output)
def fault_command(
    potential: PotentialName,
    structure: StructureName,
    *,
    line: FaultLine,
    no_relax: NoRelax = False,
    output: Output,
    threads: Threads = None,
    debug: Debug = False,
) -> None:
    """The energy of a stacking fault along a line: one half of the crystal slid over the other, atoms at rest along the normal.

    The structure is relaxed first, positions and cell.

    Example: adiabat fault si.adiabat si.cif --plane 1,1,1 --direction 1,1,-2 --length 1/6 --cut 1 --json fault.json
    """
    output.require(potential, {"STRUCTURE": structure})
    plane, direction, length = plane_of(line.plane), plane_of(line.direction), _share(line.length)
    used, atoms = read_potential(potential), read_structure(structure)
    rest, property = from_rest(
        lambda own, member: stacking_faults(
            own,
            member,
            plane,
            direction,
            length=length,
            points=line.points,
            thickness_angstrom=line.thickness_angstrom,
            cut=line.cut,
        ),
        atoms,
        used,
        relax_first=not no_relax,
    )
    found = measured(property, used, members=output.members, error_bars=output.error_bars)
    highest = int(found.result.fault_energy_j_per_m2.argmax())
    shown = Shown(
        title=f"Stacking fault ({line.plane}) of {structure.name} by {Path(potential).name}",
        sentences=(rest_sentence(rest, relaxed=not no_relax), *fault_sentences(found.result)),
        figures=fault_figures(found),
        structures=[StructureView("highest", "The highest fault on the line", found.result.structures[highest])],
        printed=PRINTED,
    )
    write_out(found, shown, output, potential=used, name=potential)


def _share(text: str) -> float:
    try:
        return float(Fraction(text))
    except (ValueError, ZeroDivisionError) as error:
        raise ConfigurationError(
            f"'{text}' was given", place="--length", rule="a number or a fraction", mend="1/6, or 0.5"
        ) from error

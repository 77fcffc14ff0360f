"""``adiabat vacancy``: formation energies of vacancies."""

import math
from collections.abc import Sequence
from pathlib import Path

from adiabat.cli.app import Debug, Threads, app
from adiabat.cli.measuring import (
    ChemicalPotentials,
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
from adiabat.errors import ConfigurationError
from adiabat.properties import from_rest, measured
from adiabat.properties.defects import vacancies
from adiabat.properties.defects.vacancies import vacancy_figures, vacancy_sentences
from adiabat.results import StructureView


@app.command("vacancy")
@grouped(output=Output)
def vacancy_command(
    potential: PotentialName,
    structure: StructureName,
    *,
    repeats: Repeats = None,
    chemical_potential: ChemicalPotentials = None,
    no_relax: NoRelax = False,
    output: Output,
    threads: Threads = None,
    debug: Debug = False,
) -> None:
    """Formation energies of vacancies, on every site that symmetry tells apart.

    The structure is relaxed first, positions and cell. Missing atoms go to the crystal itself, where it is an element, and to the
    ground states of the elements where it is a compound.

    Example: adiabat vacancy si.adiabat si.cif --json vacancy.json
    """
    output.require(potential, {"STRUCTURE": structure})
    cells, given = repeats_of(repeats), chemical_potentials_of(chemical_potential or ())
    used, atoms = read_potential(potential), read_structure(structure)
    rest, property = from_rest(
        lambda own, member: vacancies(own, member, repeats=cells, given_chemical_potentials=given),
        atoms,
        used,
        relax_first=not no_relax,
    )
    found = measured(property, used, members=output.members, error_bars=output.error_bars)
    shown = Shown(
        title=f"Vacancies in {structure.name} by {Path(potential).name}",
        sentences=(rest_sentence(rest, relaxed=not no_relax), *vacancy_sentences(found.result)),
        figures=vacancy_figures(found),
        structures=[
            StructureView(f"vacancy-{place}", f"Vacancy of {element}", at_rest)
            for place, (element, at_rest) in enumerate(zip(found.result.elements, found.result.structures, strict=True))
        ],
    )
    write_out(found, shown, output, potential=used, name=potential)


def chemical_potentials_of(texts: Sequence[str]) -> dict[str, float]:
    """By symbol.

    Raises:
        ConfigurationError: One is malformed, or given twice.
    """
    found: dict[str, float] = {}
    for text in texts:
        symbol, _, number = text.partition("=")
        try:
            value = float(number)
        except ValueError:
            value = float("nan")
        if not math.isfinite(value) or symbol in found:
            raise ConfigurationError(
                f"'{text}' was given",
                place="--chemical-potential",
                rule="each is SYMBOL=NUMBER, once for an element",
                mend="--chemical-potential Cu=-3.72",
            )
        found[symbol] = value
    return found

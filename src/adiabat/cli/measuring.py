"""What the commands that measure a property share: reading, error bars, and where the numbers go."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from ase import Atoms
from rich.console import Console
from rich.text import Text

from adiabat.cli.files import require_outputs
from adiabat.errors import ConfigurationError
from adiabat.potential import FromASE, Potential, fingerprint, load_potential, named_calculator
from adiabat.properties.measured import Measured, property_page
from adiabat.results import Figure, Page, Result, StructureView, Table
from adiabat.runs import provenance
from adiabat.simulate import read_start

R = TypeVar("R", bound=Result)

PotentialName = Annotated[
    str,
    typer.Argument(
        metavar="POTENTIAL",
        help="A potential file, or an ASE calculator as module:Class (ase.calculators.emt:EMT).",
        show_default=False,
    ),
]
StructureName = Annotated[
    Path,
    typer.Argument(
        metavar="STRUCTURE",
        help="In any format that ASE reads; of a file with several structures name one: file.xyz@0.",
        show_default=False,
    ),
]
NoRelax = Annotated[
    bool, typer.Option("--no-relax", help="Take the structure as it is; refused where it is not at rest.")
]
Repeats = Annotated[
    str | None,
    typer.Option(help="Of the structure's cell, the supercell: 3,3,3 (default: as the potential's reach asks for)."),
]
ChemicalPotentials = Annotated[
    list[str] | None,
    typer.Option(help="Cu=-3.72, in eV as the potential counts (default: the element's ground state); several times."),
]
PressureGpa = Annotated[float, typer.Option("--pressure-gpa", help="Hydrostatic.")]


@dataclass(frozen=True)
class Output:
    """Where the numbers go, and whether they get error bars."""

    json: Annotated[Path | None, typer.Option("--json", help="Write the numbers, with error bars, as JSON.")] = None
    report: Annotated[Path | None, typer.Option("--report", help="Write them as a page with plots (HTML).")] = None
    members: Annotated[
        int | None, typer.Option("--members", help="Potentials drawn for each part of the error bars (default: 16).")
    ] = None
    error_bars: Annotated[
        bool, typer.Option("--error-bars/--no-error-bars", help="They take as long as the property of each member.")
    ] = True

    def require(self, potential: str, structures: dict[str, Path], **more: Path | None) -> None:
        """Refuse, before any work, what could not be written.

        Raises:
            OutputError: As `require_outputs`.
            ConfigurationError: Members of error bars that are not wanted.
        """
        inputs: dict[str, Path | None] = {name: _file(path) for name, path in structures.items()}
        inputs["POTENTIAL"] = Path(potential)
        require_outputs({"--json": self.json, "--report": self.report, **more}, inputs=inputs)
        if self.members is not None and not self.error_bars:
            raise ConfigurationError(
                "is given with --no-error-bars",
                place="--members",
                rule="an option has an effect",
                mend="leave one of them out",
            )


@dataclass(frozen=True)
class Shown:
    """What a property has to show beside its numbers; of these, only fields that are named are printed, where some are."""

    title: str
    sentences: Sequence[str] = ()
    tables: Sequence[Table] = ()
    figures: Sequence[Figure] = ()
    structures: Sequence[StructureView] = ()
    printed: Collection[str] | None = None


def read_potential(name: str) -> Potential:
    """A potential's file, or a calculator by its import path.

    Raises:
        PotentialFileError: The file cannot be used.
        ConfigurationError: There is no such calculator.
    """
    return named_calculator(name) if ":" in name and not Path(name).exists() else load_potential(Path(name))


def read_structure(file: Path) -> Atoms:
    """The structure that a command is about; raises DataError."""
    return read_start(file, rule="a property is of one structure")


def write_out(found: Measured[R], shown: Shown, output: Output, *, potential: Potential, name: str) -> None:
    """Print a property, and write what was asked for."""
    from adiabat.report import print_table, write_html

    console = Console()
    for sentence in shown.sentences:
        console.print(Text(sentence))
    for table in shown.tables:
        print_table(table, console)
    for line in found.lines(shown.printed):
        console.print(Text(line))
    if output.json is not None:
        found.save(output.json)
    if output.report is not None:
        write_html(page_of(found, shown, details=details_of(potential, name)), output.report)


def page_of(found: Measured[R], shown: Shown, *, details: dict[str, str]) -> Page:
    """The report."""
    page = property_page(
        found,
        title=shown.title,
        tables=shown.tables,
        figures=shown.figures,
        structures=shown.structures,
        details=details,
    )
    return Page(page.title, (*shown.sentences, *page.summary), page.tables, page.figures, page.structures, page.details)


def details_of(potential: Potential, name: str) -> dict[str, str]:
    """Where the numbers come from."""
    made = provenance()
    named = name if isinstance(potential, FromASE) else f"{name}, fingerprint {fingerprint(potential)[:16]}"
    return {
        "potential": named,
        "adiabat": str(made["adiabat"]),
        "packages": ", ".join(f"{package} {number}" for package, number in made["packages"].items()),
        "machine": f"{made['machine']}, {made['threads']} threads",
        "written": str(made["created"]),
    }


def _file(path: Path) -> Path:
    """Of ``file@number`` the file."""
    return path if path.exists() else Path(str(path).rpartition("@")[0] or path)


def rest_sentence(rest: Atoms, *, relaxed: bool) -> str:
    """What the property is of."""
    lengths, angles = rest.cell.lengths(), rest.cell.angles()
    cell = f"a, b, c = {', '.join(f'{x:.4f}' for x in lengths)} Å, α, β, γ = {', '.join(f'{x:.2f}' for x in angles)}°"
    begun = "relaxed first, positions and cell" if relaxed else "taken as it is: at rest"
    return f"{rest.get_chemical_formula()}, {begun}: {cell}"


def repeats_of(text: str | None, *, option: str = "--repeats") -> list[int] | None:
    """Three numbers: ``4,4,4``, as an option gives them.

    Raises:
        ConfigurationError: They are not.
    """
    if text is None:
        return None
    words = text.replace("x", ",").split(",")
    if len(words) != 3 or not all(word.strip().isdigit() and int(word) > 0 for word in words):
        raise ConfigurationError(
            f"'{text}' was given", place=option, rule="three numbers, one or more each", mend=f"{option} 4,4,4"
        )
    return [int(word) for word in words]

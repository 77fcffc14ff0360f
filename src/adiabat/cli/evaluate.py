"""``adiabat evaluate``: how far a potential is from reference labels."""

from pathlib import Path
from typing import Annotated

import typer
from ase.data import chemical_symbols
from pydantic import Field
from rich.console import Console
from rich.text import Text

from adiabat.cli.app import Debug, Threads, app
from adiabat.cli.files import require_outputs
from adiabat.config import Config
from adiabat.data import LabelKeys, read
from adiabat.errors import ConfigurationError
from adiabat.evaluation import (
    Evaluation,
    error_sentences,
    error_table,
    evaluate,
    evaluation_page,
    training_distance,
)
from adiabat.potential import Potential
from adiabat.potential.file import fingerprint, load_potential
from adiabat.runs import provenance
from adiabat.training import measure_learning_curve, training_data


class LabelsConfig(Config):
    """What evaluating needs to be told of a data set.

    Attributes:
        keys: Under which names the labels stand.
    """

    keys: LabelKeys = Field(default_factory=LabelKeys)


class EvaluateConfig(Config):
    """What `adiabat evaluate` is told.

    Attributes:
        data: Keys.
    """

    data: LabelsConfig = Field(default_factory=LabelsConfig)


@app.command("evaluate")
def evaluate_command(
    potential_file: Annotated[Path, typer.Argument(metavar="POTENTIAL", help="A potential file.", show_default=False)],
    data_file: Annotated[
        Path,
        typer.Argument(metavar="DATA", help="Labelled structures, in any format that ASE reads.", show_default=False),
    ],
    *,
    json: Annotated[Path | None, typer.Option("--json", help="Write the errors as JSON.")] = None,
    report: Annotated[Path | None, typer.Option("--report", help="Write them as a page with plots (HTML).")] = None,
    learning_curve: Annotated[
        Path | None,
        typer.Option(
            "--learning-curve",
            metavar="TRAIN",
            help="The data that it was trained on: train on parts of them too, and show how errors fall with more.",
        ),
    ] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="data.keys.energy=energy, and the like.")] = None,
    threads: Threads = None,
    debug: Debug = False,
) -> None:
    """Compare a potential with reference labels: errors of energy, forces and stress, overall and by config_type.

    Energies are expected under REF_energy (eV), forces under REF_forces (eV/Å), stresses under REF_stress (eV/Å³,
    positive under tension) or REF_virial (eV).

    A learning curve trains anew with the potential's basis and configuration on an eighth, a quarter and a half of its
    training data, which takes about as long as the training took; it is shown in the report.

    Example: adiabat evaluate si.adiabat test.xyz --json errors.json --report report.html
    """
    config = EvaluateConfig.load(None, settings or ())
    inputs = {"POTENTIAL": potential_file, "DATA": data_file, "--learning-curve": learning_curve}
    require_outputs({"--json": json, "--report": report}, inputs=inputs)
    _require_effect(learning_curve, report)
    potential = load_potential(potential_file)
    structures = read(data_file, keys=config.data.keys)
    trained_on = training_data(potential, learning_curve) if learning_curve is not None else None
    distance = training_distance(potential) if report is not None else None
    evaluation = evaluate(potential, structures, distance=distance)
    print_evaluation(evaluation)
    if json is not None:
        evaluation.save(json)
    if report is not None:
        from adiabat.report import write_html

        curve, details = None, _details(potential, potential_file, data_file)
        if trained_on is not None:
            curve = measure_learning_curve(potential, trained_on, evaluation, evaluated_on=data_file.name)
            details["learning curve"] = f"parts of {learning_curve}, with the basis and configuration of the potential"
        title = f"{potential_file.name} on {data_file.name}"
        write_html(evaluation_page(evaluation, title=title, details=details, learning_curve=curve), report)


def print_evaluation(evaluation: Evaluation) -> None:
    """The table of errors, then sentences on how sure they are and on what was left out."""
    from adiabat.report import print_table

    console = Console()
    print_table(error_table(evaluation), console)
    for sentence in error_sentences(evaluation):
        console.print(Text(sentence))
    for one in evaluation.left_out:
        console.print(Text(f"left out: {one.place} ({one.config_type}): {one.reason}", style="yellow"))


def _require_effect(learning_curve: Path | None, report: Path | None) -> None:
    if learning_curve is not None and report is None:
        raise ConfigurationError(
            "would have no effect without --report, which shows it",
            place="--learning-curve",
            rule="an option has an effect",
            mend="add --report report.html",
        )


def _details(potential: Potential, potential_file: Path, data_file: Path) -> dict[str, str]:
    origin = provenance()
    return {
        "potential": f"{potential_file}, fingerprint {fingerprint(potential)[:16]}",
        "species": ", ".join(chemical_symbols[number] for number in potential.species),
        "cutoff": f"{potential.cutoff:g} Å",
        "data": str(data_file),
        "adiabat": str(origin["adiabat"]),
        "packages": ", ".join(f"{name} {number}" for name, number in origin["packages"].items()),
        "machine": f"{origin['machine']}, {origin['threads']} threads",
        "written": str(origin["created"]),
    }

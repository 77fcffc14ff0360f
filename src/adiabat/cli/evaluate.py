"""``adiabat evaluate``: how far a potential is from reference labels, and where it is not to be trusted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer
from ase.data import chemical_symbols
from pydantic import Field
from rich.console import Console
from rich.text import Text

from adiabat.cli.app import EXIT_FOUND, Debug, Threads, app
from adiabat.cli.files import require_outputs
from adiabat.config import Config
from adiabat.data import LabelKeys, read
from adiabat.data.extract import named_values
from adiabat.data.lookalikes import LABEL_KINDS, lookalikes
from adiabat.errors import ConfigurationError
from adiabat.evaluation import (
    Evaluation,
    Trust,
    Unlabelled,
    calibration_sentences,
    calibration_table,
    error_sentences,
    error_table,
    evaluate,
    evaluation_page,
    require_uncertainty,
    training_distance,
    trust,
    trust_page,
    trust_sentences,
    trust_tables,
)
from adiabat.potential import Potential
from adiabat.potential.file import fingerprint, load_potential
from adiabat.runs import provenance
from adiabat.system import Labelled
from adiabat.training import TrainingHistory, measure_learning_curve, training_data


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
    uncertainty: Annotated[
        bool,
        typer.Option("--uncertainty", help="Say which structures not to trust it on, and why; labels are not needed."),
    ] = False,
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
    positive under tension) or REF_virial (eV). Of a potential that carries uncertainties, their calibration is shown too.

    With --uncertainty DATA may be without labels: each structure gets its energy with a standard deviation, its least known
    atom, and a verdict; the exit status is 1 where one is not to be trusted.

    A learning curve trains anew with the potential's basis and configuration on an eighth, a quarter and a half of its
    training data, which takes about as long as the training took; it is shown in the report.

    Example: adiabat evaluate si.adiabat test.xyz --json errors.json --report report.html
    """
    config = EvaluateConfig.load(None, settings or ())
    inputs = {"POTENTIAL": potential_file, "DATA": data_file, "--learning-curve": learning_curve}
    require_outputs({"--json": json, "--report": report}, inputs=inputs)
    _require_effect(learning_curve, report)
    potential = load_potential(potential_file)
    if uncertainty:
        require_uncertainty(potential)
    structures = read(data_file, keys=config.data.keys, labels_required=not uncertainty)
    origin = _Origin(potential_file, data_file, learning_curve)
    if any(structure.labels.any for structure in structures):
        judged = _compare(potential, structures, origin, json=json, report=report, uncertainty=uncertainty)
    else:
        _require_labels(learning_curve)
        judged = _judge_unlabelled(potential, structures, origin, json=json, report=report)
    if judged is not None and judged.not_trusted:
        raise typer.Exit(EXIT_FOUND)


@dataclass(frozen=True)
class _Origin:
    """The files that the numbers come from."""

    potential_file: Path
    data_file: Path
    learning_curve: Path | None

    @property
    def title(self) -> str:
        return f"{self.potential_file.name} on {self.data_file.name}"


def _compare(
    potential: Potential,
    structures: Sequence[Labelled],
    origin: _Origin,
    *,
    json: Path | None,
    report: Path | None,
    uncertainty: bool,
) -> Trust | None:
    """Errors and calibration; verdicts where they are asked for."""
    trained_on = training_data(potential, origin.learning_curve) if origin.learning_curve is not None else None
    distance = training_distance(potential) if report is not None else None
    evaluation = evaluate(potential, structures, distance=distance)
    if uncertainty:
        evaluation = replace(evaluation, uncertainty=trust(potential, structures))
    print_evaluation(evaluation)
    if json is not None:
        evaluation.save(json)
    if report is not None:
        from adiabat.report import write_html

        curve, details = None, _details(potential, origin)
        if trained_on is not None:
            curve = measure_learning_curve(potential, trained_on, evaluation, evaluated_on=origin.data_file.name)
        page = evaluation_page(evaluation, title=origin.title, details=details, learning_curve=curve)
        history = TrainingHistory.of(potential.metadata)
        write_html(page if history is None else replace(page, figures=(*page.figures, *history.figures())), report)
    return evaluation.uncertainty


def _judge_unlabelled(
    potential: Potential, structures: Sequence[Labelled], origin: _Origin, *, json: Path | None, report: Path | None
) -> Trust:
    """Verdicts alone."""
    judged = trust(potential, structures)
    console = Console()
    print_trust(judged, console)
    if unread := _unread(structures):
        console.print(Text(f"note: read as no label, so that no error is shown: {', '.join(unread)}", style="dim"))
    if json is not None:
        Unlabelled(judged).save(json)
    if report is not None:
        from adiabat.report import write_html

        write_html(trust_page(judged, title=origin.title, details=_details(potential, origin)), report)
    return judged


def print_evaluation(evaluation: Evaluation) -> None:
    """The tables of errors and of calibration, then sentences on both and on what was left out; verdicts, if there are."""
    from adiabat.report import print_table

    console = Console()
    print_table(error_table(evaluation), console)
    if evaluation.calibration is not None:
        print_table(calibration_table(evaluation.calibration), console)
    for sentence in (*error_sentences(evaluation), *calibration_sentences(evaluation.calibration)):
        console.print(Text(sentence))
    for one in evaluation.left_out:
        console.print(Text(f"left out: {one.place} ({one.config_type}): {one.reason}", style="yellow"))
    if evaluation.uncertainty is not None:
        print_trust(evaluation.uncertainty, console)


def print_trust(judged: Trust, console: Console) -> None:
    """The verdicts as tables, then how many are trusted, and by what."""
    from adiabat.report import print_table

    for table in trust_tables(judged):
        print_table(table, console)
    for sentence in trust_sentences(judged):
        console.print(Text(sentence, style="bold yellow" if judged.not_trusted else ""))


def _require_effect(learning_curve: Path | None, report: Path | None) -> None:
    if learning_curve is not None and report is None:
        raise ConfigurationError(
            "would have no effect without --report, which shows it",
            place="--learning-curve",
            rule="an option has an effect",
            mend="add --report report.html",
        )


def _require_labels(learning_curve: Path | None) -> None:
    if learning_curve is not None:
        raise ConfigurationError(
            "would have no effect: DATA has no labels to measure errors with",
            place="--learning-curve",
            rule="an option has an effect",
            mend="leave it out, or give labelled structures",
        )


def _unread(structures: Sequence[Labelled]) -> list[str]:
    """Names of values that look like labels, in structures of which no label was read."""
    values = [named_values(structure.atoms) for structure in structures]
    return sorted({name for each in values for kind in LABEL_KINDS for name in lookalikes(each, kind)})


def _details(potential: Potential, origin: _Origin) -> dict[str, str]:
    made = provenance()
    details = {
        "potential": f"{origin.potential_file}, fingerprint {fingerprint(potential)[:16]}",
        "species": ", ".join(chemical_symbols[number] for number in potential.species),
        "cutoff": f"{potential.cutoff:g} Å",
        "data": str(origin.data_file),
        "adiabat": str(made["adiabat"]),
        "packages": ", ".join(f"{name} {number}" for name, number in made["packages"].items()),
        "machine": f"{made['machine']}, {made['threads']} threads",
        "written": str(made["created"]),
    }
    if origin.learning_curve is not None:
        details["learning curve"] = (
            f"parts of {origin.learning_curve}, with the basis and configuration of the potential"
        )
    return details

"""``adiabat info``: what a potential file holds."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from adiabat.cli.app import Debug, app
from adiabat.cli.files import made_folder, require_outputs
from adiabat.errors import ConfigurationError
from adiabat.potential import PotentialDescription, describe_potential, load_potential
from adiabat.report import print_table, write_image
from adiabat.results import Table
from adiabat.training import TrainingHistory
from adiabat.units import GPA_PER_EV_PER_CUBIC_ANGSTROM

ERRORS_IN = {
    "energy": (1e3, "meV/atom"),
    "forces": (1.0, "eV/Å"),
    "stress": (GPA_PER_EV_PER_CUBIC_ANGSTROM, "GPa"),
    "hessian": (1.0, "eV/Å²"),
}
"""Factor and unit in which the errors of each kind of label are shown."""


@app.command("info")
def info_command(
    potential_file: Annotated[Path, typer.Argument(metavar="POTENTIAL", help="A potential file.", show_default=False)],
    *,
    json: Annotated[
        Path | None, typer.Option("--json", help="Write everything as JSON, the configuration too.")
    ] = None,
    pictures: Annotated[
        Path | None, typer.Option("--pictures", help="A folder for pictures of how a training by gradients went.")
    ] = None,
    debug: Debug = False,
) -> None:
    """Say what a potential file holds, after checking that it computes what it computed when it was written.

    Example: adiabat info si.adiabat
    """
    require_outputs({"--json": json}, inputs={"POTENTIAL": potential_file})
    description = describe_potential(load_potential(potential_file))
    if pictures is not None:
        draw_history(description.metadata, pictures, place=str(potential_file))
    print_description(description, str(potential_file))
    if json is not None:
        description.save(json)


def draw_history(metadata: Mapping[str, Any], folder: Path, *, place: str) -> None:
    """Write a picture of the loss and of each error on the validation, against epochs.

    Raises:
        ConfigurationError: The potential was not trained by gradients.
        OutputError: The folder or a picture cannot be written.
    """
    history = TrainingHistory.of(metadata)
    if history is None:
        raise ConfigurationError(
            "holds no history of epochs",
            place=place,
            rule="pictures show how a training by gradients went",
            mend="leave --pictures out, or name a potential that was trained with --model network or messages",
        )
    made_folder(folder, option="--pictures")
    for figure in history.figures():
        write_image(figure, folder / f"{figure.name}.png")


def print_description(description: PotentialDescription, title: str) -> None:
    """Species, cutoff, parts, provenance, data, noise levels, and the errors on structures left out of the training."""
    console = Console()
    print_table(Table("potential", title, ("", ""), tuple(general_rows(description))), console)
    parts = tuple((p.kind, p.cutoff_angstrom, p.functions, p.parameters, p.details) for p in description.parts)
    columns = ("part", "cutoff (Å)", "functions", "parameters", "details")
    print_table(Table("parts", "The energy is the sum of", columns, parts), console)
    training = description.metadata.get("training")
    if training is not None:
        left_out = "validation" if "history" in training else "left out"
        columns = ("label", "count", "noise", f"MAE {left_out}", f"RMSE {left_out}", "unit")
        print_table(Table("training", "Training", columns, tuple(training_rows(training))), console)
        rows = tuple(config_type_rows(training))
        if rows:
            columns = ("config_type", "label", "noise", "unit")
            print_table(Table("noise", "Noise by config_type", columns, rows), console)
        for note in training.get("notes", ()):
            console.print(Text(f"note: {note}", style="dim"))
    if description.calibration is not None:
        print_calibration(description.calibration, console)


def print_calibration(calibration: Mapping[str, Any], console: Console) -> None:
    """What the error bars were worth on structures left out of the fit, and errors where whole config_types were left out."""
    title = f"Error bars, calibrated on {calibration['structures']} structures that were not fitted to"
    columns = (
        "label",
        "count",
        "in 68 % intervals",
        "in 95 % intervals",
        "standard deviation",
        "RMSE left out",
        "unit",
    )
    print_table(Table("calibration", title, columns, tuple(calibration_rows(calibration["left_out"]))), console)
    rows = tuple(extrapolation_rows(calibration.get("config_type_left_out_rmse", {})))
    if rows:
        title = "Root mean square errors on a config_type that the fit has never seen"
        columns = ("config_type", "structures", "energy (meV/atom)", "forces (eV/Å)", "stress (GPa)")
        print_table(Table("extrapolation", title, columns, rows), console)


def calibration_rows(scores: Mapping[str, Mapping[str, float]]) -> Iterator[tuple[str | int | float | None, ...]]:
    """Of each kind of label."""
    for kind in (kind for kind in ERRORS_IN if kind in scores):
        factor, unit = ERRORS_IN[kind]
        of_kind = scores[kind]
        held = (f"{100 * of_kind[f'coverage_{level}']:.0f} %" for level in (68, 95))
        yield kind, int(of_kind["rows"]), *held, factor * of_kind["rms_std"], factor * of_kind["rmse"], unit


def extrapolation_rows(
    errors: Mapping[str, Mapping[str, float]],
) -> Iterator[tuple[str | int | float | None, ...]]:
    """Of each config_type."""
    for config_type, of_type in errors.items():
        values = (of_type[kind] * factor if kind in of_type else None for kind, (factor, _) in ERRORS_IN.items())
        yield config_type, int(of_type["structures"]), *values


def general_rows(description: PotentialDescription) -> Iterator[tuple[str, str]]:
    """Name and value of what is said of the whole potential; what it does not hold is left out."""
    made, data = (description.metadata.get(key) or {} for key in ("provenance", "data"))
    packages = ", ".join(f"{name} {number}" for name, number in (made.get("packages") or {}).items())
    values = {
        "species": ", ".join(description.species),
        "cutoff": f"{description.cutoff_angstrom:.2f} Å",
        "units": ", ".join(f"{quantity} {unit}" for quantity, unit in description.units.items()),
        "attached": ", ".join(description.attachments),
        "canaries": f"{', '.join(description.canaries)}: they give what was stored",
        "fingerprint": description.fingerprint[:16],
        "made": made.get("created"),
        "by": f"adiabat {made['adiabat']}, Python {made.get('python')}, {packages}" if "adiabat" in made else None,
        "on": f"{made['machine']}, {made.get('threads')} thread(s)" if "machine" in made else None,
        "from": f"{data['structures']} structures, fingerprint {data.get('fingerprint', '')[:16]}" if data else None,
    }
    yield from ((name, value) for name, value in values.items() if value)


def training_rows(training: Mapping[str, Any]) -> Iterator[tuple[str | int | float | None, ...]]:
    """Count, noise and errors of each kind of label."""
    names = ("left_out_mae", "left_out_rmse") if "noise" in training else ("validation_mae", "validation_rmse")
    for kind, count in training["rows"].items():
        factor, unit = ERRORS_IN[kind]
        values = (training.get(name, {}).get(kind) for name in ("noise", *names))
        yield kind, count, *(None if value is None else factor * value for value in values), unit


def config_type_rows(training: Mapping[str, Any]) -> Iterator[tuple[str, str, float, str]]:
    """Noise of each config_type by kind of label; none where it is the same for all."""
    for config_type, levels in training.get("noise_by_config_type", {}).items():
        for kind, level in levels.items():
            factor, unit = ERRORS_IN[kind]
            yield config_type, kind, factor * level, unit

"""``adiabat loss-landscape``: the loss around the parameters of a trained network."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from adiabat.cli.app import Debug, Threads, app
from adiabat.cli.files import made_folder, require_outputs
from adiabat.cli.options import grouped
from adiabat.data import read
from adiabat.potential import load_potential
from adiabat.report import write_image
from adiabat.training import stored_configuration
from adiabat.training.landscape import LandscapeConfig, survey_landscape


@dataclass(frozen=True)
class LookOptions:
    """How closely is looked."""

    structures: Annotated[int, typer.Option("--structures", help="Structures that the loss is taken over.")] = 40
    lanczos_steps: Annotated[int, typer.Option("--lanczos-steps", help="To find curvatures.")] = 40
    flow_steps: Annotated[int, typer.Option("--flow-steps", help="Straight downhill.")] = 60
    seed: Annotated[int, typer.Option("--seed", help="Of what is drawn.")] = 0


@app.command("loss-landscape")
@grouped(look=LookOptions)
def loss_landscape_command(
    potential_file: Annotated[Path, typer.Argument(metavar="POTENTIAL", help="A potential file.", show_default=False)],
    data_file: Annotated[Path, typer.Argument(metavar="DATA", help="What it was trained on.", show_default=False)],
    *,
    look: LookOptions,
    json: Annotated[Path | None, typer.Option("--json", help="Write the numbers as JSON.")] = None,
    pictures: Annotated[Path | None, typer.Option("--pictures", help="A folder for pictures.")] = None,
    threads: Threads = None,
    debug: Debug = False,
) -> None:
    """Say whether a training by gradients ended in a minimum or on a saddle, and how sharp that is.

    Example: adiabat loss-landscape si.adiabat train.xyz --pictures landscape
    """
    require_outputs({"--json": json}, inputs={"POTENTIAL": potential_file, "DATA": data_file})
    config = LandscapeConfig.parse(vars(look))
    potential = load_potential(potential_file)
    keys = stored_configuration(potential).data.keys
    found = survey_landscape(potential, read(data_file, keys=keys), config)
    console = Console()
    for sentence in found.sentences():
        console.print(Text(sentence))
    if json is not None:
        found.save(json)
    if pictures is not None:
        made_folder(pictures, option="--pictures")
        for figure in found.figures():
            write_image(figure, pictures / f"{figure.name}.png")

"""``adiabat train``: a potential from labelled structures."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from adiabat.basis.specification import BasisSpecification
from adiabat.cli.app import Debug, Threads, app
from adiabat.cli.evaluate import print_evaluation
from adiabat.data import read, split
from adiabat.errors import ConfigurationError
from adiabat.evaluation import evaluate
from adiabat.models import LinearACE
from adiabat.potential import load_potential
from adiabat.runs import require_writable
from adiabat.training import TrainConfig, TrainingCheckpoint, train, training_sentences


@app.command("train")
def train_command(
    data_file: Annotated[
        Path,
        typer.Argument(metavar="DATA", help="Labelled structures, in any format that ASE reads.", show_default=False),
    ],
    *,
    out: Annotated[Path, typer.Option("--out", help="The potential file to write.", show_default=False)],
    test: Annotated[Path | None, typer.Option("--test", help="Labelled structures to report errors on.")] = None,
    config_file: Annotated[Path | None, typer.Option("--config", help="A configuration (YAML).")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="basis.size=medium, and the like; wins.")] = None,
    accept: Annotated[list[str] | None, typer.Option("--accept", help="A finding that is known and wanted.")] = None,
    basis_from: Annotated[Path | None, typer.Option("--basis-from", help="Take the basis of this potential.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was interrupted.")] = False,
    threads: Threads = None,
    debug: Debug = False,
) -> None:
    """Train a potential; the defaults need no tuning.

    The data are checked first, as by `adiabat check`. A checkpoint lies beside the output (OUT.checkpoint/) until it is
    written.

    Example: adiabat train train.xyz --test test.xyz --out si.adiabat
    """
    config = configuration(config_file, settings or [], accept or [])
    require_writable(out)
    structures = read(data_file, keys=config.data.keys)
    tested = read(test, keys=config.data.keys) if test is not None else []
    if config.data.split is not None:
        if test is not None:
            raise ConfigurationError(
                "both --test and data.split name test structures", rule="there is one test part", mend="leave one out"
            )
        division = split(structures, config.data.split)
        structures, tested = division.apply(structures)
        division.save(out.with_name(f"{out.name}.split.json"))
    checkpoint = out.with_name(f"{out.name}.checkpoint")
    basis = basis_of(basis_from, config) if basis_from is not None else None
    potential = train(structures, config, basis=basis, checkpoint=checkpoint, resume=resume)
    potential.save(out)
    TrainingCheckpoint.discard(checkpoint)
    console = Console()
    for sentence in training_sentences(potential):
        console.print(Text(sentence))
    if tested:
        print_evaluation(evaluate(potential, tested))
    console.print(Text(f"written: {out}", style="bold"))


def configuration(file: Path | None, settings: list[str], accept: list[str]) -> TrainConfig:
    """The file's, with the overrides; accepted findings of both."""
    config = TrainConfig.load(file, settings)
    return config.model_copy(update={"accept": (*config.accept, *accept)})


def basis_of(file: Path, config: TrainConfig) -> BasisSpecification:
    """The basis of a stored potential.

    Raises:
        ConfigurationError: It has none, or the configuration speaks of a basis too.
    """
    if config.basis.model_fields_set:
        keys = ", ".join(f"basis.{key}" for key in sorted(config.basis.model_fields_set))
        raise ConfigurationError(
            f"{keys} would have no effect: the basis is taken from {file}",
            place="--basis-from",
            mend=f"leave out {keys}",
        )
    for part in load_potential(file).parts:
        if isinstance(part, LinearACE):
            return part.basis
    raise ConfigurationError(
        f"{file} holds no linear ACE", place="--basis-from", mend="name a potential that was trained"
    )

"""``adiabat train``: a potential from labelled structures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from ase.data import chemical_symbols
from rich.console import Console
from rich.text import Text

from adiabat.basis.specification import BasisSpecification
from adiabat.cli.app import Debug, Threads, app
from adiabat.cli.evaluate import print_evaluation
from adiabat.cli.files import require_outputs
from adiabat.cli.options import grouped
from adiabat.data import LabelKeys, read, repeated, split
from adiabat.errors import ConfigurationError, LabelsNotFound, UnknownSpecies
from adiabat.evaluation import evaluate
from adiabat.potential import load_potential
from adiabat.system import Labelled
from adiabat.training import BY_GRADIENTS, TrainConfig, TrainingCheckpoint, stored_basis, train, training_sentences
from adiabat.training.gradient.processes import launched_processes


@dataclass(frozen=True)
class HowOptions:
    """What is trained, and how."""

    model: Annotated[str | None, typer.Option("--model", help="ace (linear; the default), network or messages.")] = None
    max_minutes: Annotated[
        float | None, typer.Option("--max-minutes", help="Of a descent by gradients, which is planned to end in time.")
    ] = None
    config_file: Annotated[Path | None, typer.Option("--config", help="A configuration (YAML).")] = None
    tensorboard: Annotated[
        Path | None, typer.Option("--tensorboard", help="A folder for an event file of a descent by gradients.")
    ] = None
    settings: Annotated[list[str] | None, typer.Option("--set", help="basis.size=medium, and the like; wins.")] = None
    accept: Annotated[list[str] | None, typer.Option("--accept", help="A finding that is known and wanted.")] = None


@app.command("train")
@grouped(how=HowOptions)
def train_command(
    data_file: Annotated[
        Path,
        typer.Argument(metavar="DATA", help="Labelled structures, in any format that ASE reads.", show_default=False),
    ],
    *,
    out: Annotated[Path, typer.Option("--out", help="The potential file to write.", show_default=False)],
    how: HowOptions,
    test: Annotated[Path | None, typer.Option("--test", help="Labelled structures to report errors on.")] = None,
    basis_from: Annotated[Path | None, typer.Option("--basis-from", help="Take the basis of this potential.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was interrupted.")] = False,
    threads: Threads = None,
    debug: Debug = False,
) -> None:
    """Train a potential; the defaults need no tuning.

    The data are checked first, as by `adiabat check`. A checkpoint lies beside the output (OUT.checkpoint/) until it is
    written; a training by gradients (--model network, messages) writes a row for each epoch to OUT.training.csv.

    Several processes train by gradients together: torchrun --nproc-per-node 2 --no-python adiabat train ... --model messages

    Example: adiabat train train.xyz --test test.xyz --out si.adiabat
    """
    config = configuration(how)
    if test is not None and config.data.split is not None:
        raise ConfigurationError(
            "both --test and data.split name test structures",
            place="--test",
            rule="there is one test part",
            mend="leave one out",
        )
    split_file, checkpoint, log_file = (Path(f"{out}.{name}") for name in ("split.json", "checkpoint", "training.csv"))
    log = log_file if config.model in BY_GRADIENTS else None
    if how.tensorboard is not None and log is None:
        raise ConfigurationError(
            f"a folder for events, {how.tensorboard}, with model={config.model}",
            place="--tensorboard",
            rule="an option has an effect: a linear fit has no epochs",
            mend="leave it out, or train with --model network or messages",
        )
    require_outputs(
        {"--out": out, "data.split": split_file if config.data.split is not None else None, "--model": log},
        inputs={"DATA": data_file, "--test": test, "--config": how.config_file, "--basis-from": basis_from},
    )
    basis = basis_of(basis_from, config) if basis_from is not None else None
    structures = read(data_file, keys=config.data.keys)
    tested = read_test(test, config.data.keys, out=out) if test is not None else []
    division = split(structures, config.data.split) if config.data.split is not None else None
    if division is not None:
        structures, tested = division.apply(structures)
    require_known_species(tested, structures)
    if config.data.level is not None:
        tested = [structure for structure in tested if structure.level == config.data.level]
    with launched_processes() as processes:
        potential = train(
            structures,
            config,
            basis=basis,
            checkpoint=checkpoint,
            resume=resume,
            log=log,
            events=how.tensorboard,
            quiet=not processes.is_first,
            processes=processes,
        )
    if not processes.is_first:
        return
    potential.save(out)
    if division is not None:
        division.save(split_file)
    TrainingCheckpoint.discard(checkpoint)
    console = Console()
    for sentence in training_sentences(potential):
        console.print(Text(sentence))
    if tested:
        print_evaluation(evaluate(potential, tested))
        for sentence in repetition(tested, structures):
            console.print(Text(sentence, style="yellow"))
    console.print(Text(f"written: {out}", style="bold"))


def configuration(how: HowOptions) -> TrainConfig:
    """The file's, with the options and then the overrides; accepted findings of all."""
    options = {"model": how.model, "gradient.max_minutes": how.max_minutes}
    named = [f"{key}={value}" for key, value in options.items() if value is not None]
    config = TrainConfig.load(how.config_file, [*named, *(how.settings or [])])
    return config.model_copy(update={"accept": (*config.accept, *(how.accept or []))})


def read_test(file: Path, keys: LabelKeys, *, out: Path) -> list[Labelled]:
    """The structures to report errors on, under the keys of the training data.

    Raises:
        LabelsNotFound: With what a user can do about it, for keys that would suit this file would not suit the other.
    """
    try:
        return read(file, keys=keys)
    except LabelsNotFound as error:
        error.mend = (
            "the keys of the training data hold for --test too: rename the labels of one of the two files; or leave "
            f"--test out, and then: adiabat evaluate {out} {file}, with keys of its own ({error.mend})"
        )
        raise


def repetition(tested: Sequence[Labelled], trained: Sequence[Labelled]) -> Iterator[str]:
    """A sentence where test structures were trained on; isolated atoms are in both parts by right."""
    new = [structure for structure in tested if not structure.is_isolated_atom]
    again = repeated(new, trained)
    if again:
        count = "the" if len(again) == len(new) else f"{len(again)} of the {len(new)}"
        yield (
            f"note: {count} test structures are among those trained on, {again[0].place} for one: their errors say "
            "nothing of new structures"
        )


def require_known_species(tested: Sequence[Labelled], trained: Sequence[Labelled]) -> None:
    """Refuse test structures that the potential will not know, before the training.

    Raises:
        UnknownSpecies: Naming the first of them.
    """
    known = sorted({int(number) for s in trained if not s.is_isolated_atom for number in s.atoms.numbers})
    for structure in tested:
        unknown = sorted(set(structure.atoms.numbers.tolist()) - set(known))
        if unknown:
            raise UnknownSpecies(
                f"holds {', '.join(chemical_symbols[number] for number in unknown)}",
                place=structure.place,
                rule=f"the training structures hold {', '.join(chemical_symbols[number] for number in known)}",
                mend="train with data of this element, or leave the structure out",
            )


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
            rule="an option has an effect",
            mend=f"leave out {keys}",
        )
    try:
        return stored_basis(load_potential(file))
    except ConfigurationError as error:
        error.place = f"--basis-from {file}"
        raise

"""From a prepared problem and a model with first parameters to the trained model and what there is to say of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from adiabat.system import TrainableModel
from adiabat.training.fitting import Problem
from adiabat.training.gradient.batches import batches_of_epoch
from adiabat.training.gradient.config import GradientConfig
from adiabat.training.gradient.descent import Descent, Task
from adiabat.training.gradient.history import TrainingHistory
from adiabat.training.gradient.targets import Target, count_of_kind, make_targets, spreads
from adiabat.training.gradient.validation import ValidationErrors, divide, validate
from adiabat.training.hyperparameters import START_FRACTIONS

STEPS = 12_000
"""That a training has by default, about."""
EPOCHS = (20, 2_000)
"""At least and at most, whatever the number of structures."""


@dataclass(frozen=True)
class Descended:
    """A trained model.

    Attributes:
        model: In float64; its parameters require no gradient.
        summary: What `adiabat info` says of the training: JSON values.
        notes: What the user should know.
    """

    model: TrainableModel
    summary: dict[str, Any]
    notes: tuple[str, ...]


def descend(
    model: TrainableModel, problem: Problem, *, learning_rate: float, scales: Mapping[str, float] | None = None
) -> Descended:
    """Train a model on what the baseline leaves of the labels.

    Args:
        model: With first parameters; it is left as it is.
        problem: Data, baseline and configuration.
        learning_rate: Where the configuration gives none.
        scales: Of errors, by kind of label, see `Loss`; None: fixed fractions of how far the labels scatter.

    Raises:
        DataError: There are too few structures to validate by.
        TrainingError, CheckpointError, OutputError: As `Descent.run`.
    """
    config, quiet = problem.config.gradient, problem.quiet
    structures = problem.prepared.fitted
    trained_on, validated_by = divide(structures, config.validation_fraction, seed=config.seed, quiet=quiet)
    targets = make_targets(structures, problem.prepared.baseline, quiet=quiet)
    training, validation = ([targets[index] for index in part] for part in (trained_on, validated_by))
    dtype = getattr(torch, config.precision)
    trained = model.to(dtype=dtype)
    task = Task(
        trained,
        training,
        validation,
        dict(scales) if scales is not None else _scales(training),
        config.learning_rate or learning_rate,
        _default_epochs(training, config),
    )
    descent = Descent(task, config, saved=problem.saved, log=problem.log)
    history = descent.run(quiet=quiet)
    errors = validate(trained, validation, dtype=dtype)
    notes = () if descent.atoms_at_once is None else (_in_parts(descent.atoms_at_once),)
    found = trained.to(dtype=torch.float64)
    for _, parameter in found.named_parameters():
        parameter.requires_grad_(False)
    return Descended(found, _summary(task, history, errors), notes)


def _scales(training: Sequence[Target]) -> dict[str, float]:
    return {kind: START_FRACTIONS[kind] * spread for kind, spread in spreads(training).items()}


def _default_epochs(training: Sequence[Target], config: GradientConfig) -> int:
    batches = len(
        batches_of_epoch([target.atoms for target in training], config.batch_atoms, seed=config.seed, epoch=0)
    )
    return min(max(-(-STEPS // batches), EPOCHS[0]), EPOCHS[1])


def _in_parts(atoms: int) -> str:
    return f"memory did not suffice for whole batches: they were computed in parts of {atoms} atoms at most"


def _summary(task: Task, history: TrainingHistory, errors: ValidationErrors) -> dict[str, Any]:
    parameters = [parameter for _, parameter in task.model.named_parameters() if parameter.requires_grad]
    return {
        "parameters": sum(parameter.numel() for parameter in parameters),
        "rows": count_of_kind(task.training),
        "loss_scales": task.scales,
        "validation_structures": len(task.validation),
        "validation_mae": errors.mae,
        "validation_rmse": errors.rmse,
        "best_epoch": history.best_epoch,
        "history": history.to_dict(),
        "units": {"energy": "eV/atom", "forces": "eV/Å", "stress": "eV/Å³"},
    }

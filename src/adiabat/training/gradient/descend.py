"""From a prepared problem and a model with first parameters to the trained model and what there is to say of it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import torch

from adiabat.data import fingerprint
from adiabat.errors import ConfigurationError
from adiabat.models.heads import Branching, Heads
from adiabat.potential import Potential
from adiabat.system import TrainableModel
from adiabat.training.fitting import Problem
from adiabat.training.gradient.batches import batches_of_epoch
from adiabat.training.gradient.config import GradientConfig
from adiabat.training.gradient.descent import FILE, Descent, Task
from adiabat.training.gradient.history import TrainingHistory
from adiabat.training.gradient.targets import Target, count_of_kind, make_targets, rest_of, spreads
from adiabat.training.gradient.validation import ValidationErrors, divide, validate
from adiabat.training.hyperparameters import START_FRACTIONS
from adiabat.training.levels import baseline_of

STEPS = 12_000
"""That a training has by default, about."""
FRACTIONS = {**START_FRACTIONS, "hessian": 0.1}
"""Of the scatter of labels, by kind: what errors are counted in."""
EPOCHS = (20, 2_000)
"""At least and at most, whatever the number of structures."""


@dataclass(frozen=True)
class DescentData:
    """What is learned from, and judged by.

    Attributes:
        training: To learn from.
        validation: To judge by: no duplicates of the former, and of other groups.
        scales: Of errors, by kind of label, see `Loss`: fixed fractions of how far the labels scatter around the baseline.
    """

    training: Sequence[Target]
    validation: Sequence[Target]
    scales: Mapping[str, float]

    @classmethod
    def of(cls, problem: Problem) -> Self:
        """The structures, divided, and what the baseline leaves of their labels.

        Raises:
            DataError: There are too few structures to validate by.
        """
        config, structures, quiet = problem.config.gradient, problem.prepared.fitted, problem.quiet
        parts = divide(structures, config.validation_fraction, seed=config.seed, quiet=quiet)
        targets = make_targets(
            structures,
            problem.prepared.baseline,
            directions=config.hessian_directions,
            seed=config.seed,
            quiet=quiet,
        )
        training, validation = ([targets[index] for index in part] for part in parts)
        scales = {kind: FRACTIONS[kind] * spread for kind, spread in spreads(training).items()}
        for level, of_level in problem.others.items():
            baseline = baseline_of(of_level, problem.prepared.baseline)
            learned = [one for one in of_level if not one.is_isolated_atom and one.labels.any]
            more = make_targets(learned, baseline, directions=config.hessian_directions, seed=config.seed, quiet=quiet)
            training += [replace(target, level=level) for target in more]
        return cls(training, validation, scales)

    @property
    def own(self) -> Sequence[Target]:
        """Of the training, those of the potential's level of theory."""
        return [target for target in self.training if target.level is None]

    def after(self, known: Potential, *, quiet: bool) -> Self:
        """What a potential leaves to learn."""
        return replace(
            self,
            training=rest_of(self.training, known, quiet=quiet),
            validation=rest_of(self.validation, known, quiet=quiet),
        )


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
    model: TrainableModel, data: DescentData, problem: Problem, *, learning_rate: float, number: int = 0
) -> Descended:
    """Train a model.

    Args:
        model: With first parameters; it is left as it is.
        data: What is to be learned.
        problem: Its configuration and checkpoint.
        learning_rate: Where the configuration gives none.
        number: Of the network, where several are trained: each has a file of its own in the checkpoint.

    Raises:
        TrainingError, CheckpointError, OutputError: As `Descent.run`.
    """
    config = problem.config.gradient
    dtype = getattr(torch, config.precision)
    trained = model.to(dtype=dtype)
    if problem.others:
        trained = _with_heads(trained, tuple(problem.others))
    rate, epochs = config.learning_rate or learning_rate, _default_epochs(data.training, config)
    file = FILE if number == 0 else f"descent-{number}.safetensors"
    task = Task(trained, data.training, data.validation, dict(data.scales), rate, epochs, file)
    problem.processes.require_same(_identity(problem, trained))
    descent = Descent(
        task, config, saved=problem.saved, log=problem.log, events=problem.events, processes=problem.processes
    )
    history = descent.run(quiet=problem.quiet)
    errors = validate(trained, data.validation, dtype=dtype)
    notes = () if descent.atoms_at_once is None else (_in_parts(descent.atoms_at_once),)
    found = (trained.main if isinstance(trained, Heads) else trained).to(dtype=torch.float64)
    for _, parameter in found.named_parameters():
        parameter.requires_grad_(False)
    return Descended(found, _summary(task, history, errors), notes)


def _with_heads(model: TrainableModel, levels: tuple[str, ...]) -> TrainableModel:
    if not isinstance(model, Branching):
        raise ConfigurationError(
            f"labels of other levels of theory, {', '.join(levels)}, for a {model.kind}",
            place="data.level",
            rule="a model that learns several levels can be given another last layer",
            mend="train it on one level, or give its class `another_head`",
        )
    return Heads(model, levels)


def _identity(problem: Problem, model: TrainableModel) -> dict[str, str]:
    """What processes that train together have in common."""
    parameters = hashlib.sha256()
    for _, parameter in model.named_parameters():
        parameters.update(parameter.detach().contiguous().numpy().tobytes())
    return {
        "data": fingerprint(problem.prepared.fitted),
        "settings": problem.config.model_dump_json(),
        "first parameters": parameters.hexdigest(),
    }


def _default_epochs(training: Sequence[Target], config: GradientConfig) -> int:
    batches = len(
        batches_of_epoch([target.evaluated_atoms for target in training], config.batch_atoms, seed=config.seed, epoch=0)
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
        "units": {"energy": "eV/atom", "forces": "eV/Å", "stress": "eV/Å³", "hessian": "eV/Å²"},
    }

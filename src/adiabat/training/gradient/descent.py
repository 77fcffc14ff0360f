"""The descent: steps of AdamW on batches, an average of what they give, and the best of it by validation."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from adiabat.errors import TrainingError
from adiabat.runs import EventFile, LiveText, StopRequest, duration
from adiabat.system import TrainableModel
from adiabat.training.checkpoint import TrainingCheckpoint
from adiabat.training.gradient.average import Average, put
from adiabat.training.gradient.batches import batches_of_epoch
from adiabat.training.gradient.checkpoint import DescentState
from adiabat.training.gradient.config import GradientConfig
from adiabat.training.gradient.gradients import Gradients
from adiabat.training.gradient.history import EpochRecord, TrainingHistory
from adiabat.training.gradient.loss import Loss
from adiabat.training.gradient.processes import ALONE, Processes
from adiabat.training.gradient.progress import Progress
from adiabat.training.gradient.schedule import rate_factor, stage_at
from adiabat.training.gradient.targets import Target, count_of_kind
from adiabat.training.gradient.validation import ValidationErrors, validate
from adiabat.units import GPA_PER_EV_PER_CUBIC_ANGSTROM

FILE = "descent.safetensors"
MEMORY_OF_NORMS = 0.98
"""Of the running mean of gradients' norms, per step."""


@dataclass(frozen=True)
class Task:
    """What is descended on.

    Attributes:
        model: Its parameters are changed; in the end they are the best averages.
        training: To learn from.
        validation: To judge by.
        scales: Of the errors, by kind of label, see `Loss`.
        learning_rate: The largest.
        default_epochs: Where the configuration gives none.
        file: In the checkpoint.
    """

    model: TrainableModel
    training: Sequence[Target]
    validation: Sequence[Target]
    scales: dict[str, float]
    learning_rate: float
    default_epochs: int
    file: str = FILE


class Descent:
    """Brings a model's parameters to a minimum of the loss.

    Args:
        task: Model and data.
        config: How.
        saved: The checkpoint of the run, or None.
        log: A CSV file that is written after each epoch, or None.
        events: A folder for an event file, which grows with each epoch, or None.
        processes: That descend together; the first one writes.
    """

    def __init__(
        self,
        task: Task,
        config: GradientConfig,
        *,
        saved: TrainingCheckpoint | None = None,
        log: Path | None = None,
        events: Path | None = None,
        processes: Processes = ALONE,
    ) -> None:
        self._task, self._config, self._saved, self._processes = task, config, saved, processes
        self._log, self._events = (log, events) if processes.is_first else (None, None)
        self._event_file: EventFile | None = None
        self._dtype = getattr(torch, config.precision)
        self._parameters = [p for _, p in task.model.named_parameters() if p.requires_grad]
        self._optimizer = _optimizer(self._parameters, task.learning_rate, config.weight_decay)
        self._average = Average(self._parameters, config.average)
        self._best = [parameter.detach().clone() for parameter in self._parameters]
        self._state = DescentState(self._parameters, self._average.values, self._best, self._optimizer)
        self._progress = Progress(config.epochs or task.default_epochs)
        self._clock = time.monotonic()
        """When the descent would have begun, had it never been interrupted."""
        self._atoms = [target.evaluated_atoms for target in task.training]
        batches = len(self._batches(0))
        counts = count_of_kind(task.training)
        loss = Loss(task.scales, {kind: count / batches for kind, count in counts.items()}, config.huber)
        self._gradients = Gradients(task.model, self._parameters, task.training, loss, self._dtype)

    def run(self, *, quiet: bool = False) -> TrainingHistory:
        """Descend, from the checkpoint where there is one.

        Raises:
            TrainingError: The loss is no longer a number, a structure does not fit into memory, or the run was stopped.
            CheckpointError: The checkpoint is damaged.
            OutputError: Checkpoint or log cannot be written.
        """
        progress = self._begin()
        self._clock = time.monotonic() - progress.seconds
        if self._saved is not None:
            self._saved.now(self._save)
        quiet = quiet or not self._processes.is_first
        with LiveText(quiet=quiet) as live, StopRequest() as stop, self._journal():
            while progress.epoch < progress.planned_epochs and not self._is_over():
                batches = self._batches(progress.epoch)
                for chosen in batches[progress.batch :]:
                    self._step(chosen, len(batches))
                    live.show(partial(self._line, len(batches)))
                    if self._saved is not None:
                        self._saved.sometimes(self._save)
                    if self._processes.any(stop.requested):
                        self._stop()
                self._end_epoch(len(batches))
        if self._saved is not None:
            self._saved.now(self._save)
        put(self._best, self._parameters)
        return self._history

    @property
    def atoms_at_once(self) -> int | None:
        """Batches with more atoms were computed in parts for lack of memory; None: none was."""
        return self._progress.atoms_at_once

    @property
    def _history(self) -> TrainingHistory:
        return TrainingHistory(tuple(self._progress.records), self._progress.best_epoch)

    @contextmanager
    def _journal(self) -> Iterator[None]:
        """An event file meanwhile, where one is wanted; what was before an interruption stands in it too."""
        if self._events is None:
            yield
            return
        with EventFile(self._events) as self._event_file:
            for record in self._progress.records:
                self._event_file.add(record.scalars(), step=record.step, seconds=time.time())
            yield

    def _begin(self) -> Progress:
        file = None if self._saved is None else self._saved.folder / self._task.file
        if file is not None and file.exists():
            self._progress = self._state.load(file)
            return self._progress
        if self._config.max_minutes is not None:
            possible = self._processes.of_first(self._epochs_that_fit())
            self._progress.planned_epochs = min(self._progress.planned_epochs, possible)
        return self._progress

    def _epochs_that_fit(self) -> int:
        """By the time of a batch and a validation."""
        batches, start = self._batches(0), time.monotonic()
        self._gradients.of(self._processes.share(batches[0], self._atoms), self._config.stages[0], None)
        middle = time.monotonic()
        self._validation()
        epoch = (middle - start) * len(batches) + time.monotonic() - middle
        return max(1, int(60 * (self._config.max_minutes or 0) / epoch))

    def _batches(self, epoch: int) -> list[list[int]]:
        return batches_of_epoch(self._atoms, self._config.batch_atoms, seed=self._config.seed, epoch=epoch)

    def _step(self, chosen: list[int], batches: int) -> None:
        progress, config = self._progress, self._config
        done = (progress.epoch + progress.batch / batches) / progress.planned_epochs
        own_loss, own, progress.atoms_at_once = self._gradients.of(
            self._processes.share(chosen, self._atoms), stage_at(done, config), progress.atoms_at_once
        )
        *gradients, summed = self._processes.summed([*own, torch.tensor(own_loss, dtype=torch.float64)])
        loss = float(summed)
        norm = float(torch.stack([gradient.norm() for gradient in gradients]).norm())
        if not torch.isfinite(torch.tensor([loss, norm])).all():
            self._refuse(chosen)
        limit = config.clip * (progress.typical_norm or norm)
        kept = min(norm, limit)
        for parameter, gradient in zip(self._parameters, gradients, strict=True):
            parameter.grad = gradient * (kept / norm if norm > 0 else 1.0)
        for group in self._optimizer.param_groups:
            group["lr"] = self._task.learning_rate * rate_factor(done, config)
        self._optimizer.step()
        progress.step += 1
        progress.batch += 1
        progress.loss_sum += loss
        progress.typical_norm += (1 - MEMORY_OF_NORMS if progress.step > 1 else 1.0) * (kept - progress.typical_norm)
        self._average.update(progress.step)

    def _end_epoch(self, batches: int) -> None:
        progress = self._progress
        errors = self._validation()
        progress.epoch, progress.batch = progress.epoch + 1, 0
        progress.seconds = time.monotonic() - self._clock
        rate = self._optimizer.param_groups[0]["lr"]
        progress.records.append(_record(progress, errors, rate=rate, loss=progress.loss_sum / batches))
        progress.loss_sum = 0.0
        score = errors.score(self._task.scales, self._config.stages[-1])
        if score < progress.best_score or progress.best_epoch == 0:
            progress.best_score, progress.best_epoch = score, progress.epoch
            put(self._average.values, self._best)
        if self._config.max_minutes is not None:
            left = 60 * self._config.max_minutes - progress.seconds
            possible = progress.epoch + max(0, int(left * progress.epoch / progress.seconds))
            progress.planned_epochs = min(progress.planned_epochs, self._processes.of_first(possible))
        if self._log is not None:
            self._history.write_csv(self._log)
        if self._event_file is not None:
            self._event_file.add(progress.records[-1].scalars(), step=progress.step, seconds=time.time())

    def _validation(self) -> ValidationErrors:
        with self._average.shown():
            return validate(self._task.model, self._task.validation, dtype=self._dtype, processes=self._processes)

    def _is_over(self) -> bool:
        patience, progress = self._config.patience, self._progress
        return patience is not None and progress.epoch - progress.best_epoch >= patience

    def _save(self) -> None:
        if self._saved is not None and self._processes.is_first:
            self._progress.seconds = time.monotonic() - self._clock
            self._state.save(self._saved.folder / self._task.file, self._progress)

    def _stop(self) -> None:
        if self._saved is not None:
            self._saved.now(self._save)
        raise TrainingError(
            f"stopped by a signal after {self._progress.step} steps",
            place="training",
            rule="a run that is stopped can go on" if self._saved is not None else "a run without a checkpoint is lost",
            mend="run the same command with --resume" if self._saved is not None else "train again, with a checkpoint",
        )

    def _refuse(self, chosen: list[int]) -> None:
        progress = self._progress
        places = self._gradients.not_finite(chosen, stage_at(0.0, self._config))
        kept = "" if self._saved is None else f"; the checkpoint holds the last good parameters ({self._saved.folder})"
        raise TrainingError(
            f"the loss or its gradient is not a number at step {progress.step + 1}, of {', '.join(places)}{kept}",
            place=f"epoch {progress.epoch + 1}, batch {progress.batch + 1}",
            rule="losses and gradients are finite",
            mend="look at these structures with `adiabat check`; or set a smaller gradient.learning_rate",
        )

    def _line(self, batches: int) -> str:
        progress = self._progress
        done = progress.epoch + progress.batch / batches
        seconds = time.monotonic() - self._clock
        left = seconds / done * (progress.planned_epochs - done)
        loss = progress.loss_sum / max(progress.batch, 1)
        last = f"  validation: {_said(progress.records[-1])}" if progress.records else ""
        return f"epoch {progress.epoch + 1}/{progress.planned_epochs}  loss {loss:.4g}{last}  {duration(left)} left"


def _optimizer(parameters: Sequence[Tensor], rate: float, decay: float) -> torch.optim.AdamW:
    """Matrices decay; vectors, which are biases and scales, do not."""
    matrices = [parameter for parameter in parameters if parameter.ndim > 1]
    vectors = [parameter for parameter in parameters if parameter.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": decay}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW([group for group in groups if group["params"]], lr=rate)


def _record(progress: Progress, errors: ValidationErrors, *, rate: float, loss: float) -> EpochRecord:
    def scaled(values: dict[str, float], kind: str, factor: float) -> float | None:
        return factor * values[kind] if kind in values else None

    return EpochRecord(
        epoch=progress.epoch,
        step=progress.step,
        learning_rate=rate,
        loss=loss,
        seconds=progress.seconds,
        validation_energy_mae_mev_per_atom=scaled(errors.mae, "energy", 1e3),
        validation_energy_rmse_mev_per_atom=scaled(errors.rmse, "energy", 1e3),
        validation_force_mae_ev_per_angstrom=scaled(errors.mae, "forces", 1.0),
        validation_force_rmse_ev_per_angstrom=scaled(errors.rmse, "forces", 1.0),
        validation_stress_mae_gpa=scaled(errors.mae, "stress", GPA_PER_EV_PER_CUBIC_ANGSTROM),
        validation_hessian_mae_ev_per_square_angstrom=scaled(errors.mae, "hessian", 1.0),
    )


def _said(record: EpochRecord) -> str:
    values = {
        "energy {:.3g} meV/atom": record.validation_energy_mae_mev_per_atom,
        "forces {:.3g} eV/Å": record.validation_force_mae_ev_per_angstrom,
        "stress {:.3g} GPa": record.validation_stress_mae_gpa,
    }
    return ", ".join(text.format(value) for text, value in values.items() if value is not None)

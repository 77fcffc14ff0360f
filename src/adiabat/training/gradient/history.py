"""How a training went: losses and errors, epoch by epoch."""

import csv
import io
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self

import numpy as np

from adiabat.results import Figure, Line, Result
from adiabat.runs import atomic_write_text


@dataclass(frozen=True)
class EpochRecord:
    """One epoch; errors are of structures that were not trained on, with averaged parameters. None: no such labels.

    Attributes:
        epoch: From 1.
        step: Steps until its end.
        learning_rate: At its end.
        loss: Mean over its batches, of parameters that moved meanwhile.
        seconds: Of the descent, since its beginning, interruptions aside.
    """

    epoch: int
    step: int
    learning_rate: float
    loss: float
    seconds: float
    validation_energy_mae_mev_per_atom: float | None
    validation_energy_rmse_mev_per_atom: float | None
    validation_force_mae_ev_per_angstrom: float | None
    validation_force_rmse_ev_per_angstrom: float | None
    validation_stress_mae_gpa: float | None
    validation_hessian_mae_ev_per_square_angstrom: float | None = None

    def scalars(self) -> dict[str, float]:
        """By the tags of an event file: what there is, those of the validation in a group of their own."""
        groups = {"loss": "training", "learning_rate": "training"}
        values = {name: value for name, value in asdict(self).items() if name not in ("epoch", "step", "seconds")}
        return {
            f"{groups.get(name, 'validation')}/{name.removeprefix('validation_')}": value
            for name, value in values.items()
            if value is not None
        }


@dataclass(frozen=True)
class TrainingHistory(Result):
    """All epochs, and which of them the parameters are of that were kept."""

    epochs: tuple[EpochRecord, ...]
    best_epoch: int

    def figures(self) -> tuple[Figure, ...]:
        """Loss and validation errors against epochs."""
        curves = {
            "loss": ("loss", "loss"),
            "validation_energy_mae_mev_per_atom": ("energies", "mean absolute error (meV/atom)"),
            "validation_force_mae_ev_per_angstrom": ("forces", "mean absolute error (eV/Å)"),
            "validation_stress_mae_gpa": ("stresses", "mean absolute error (GPa)"),
            "validation_hessian_mae_ev_per_square_angstrom": ("second derivatives", "mean absolute error (eV/Å²)"),
        }
        note = f"Parameters are averages, those of epoch {self.best_epoch}, by structures that were not trained on."
        found = []
        for name, (title, label) in curves.items():
            points = [(e.epoch, y) for e in self.epochs if (y := getattr(e, name)) is not None and y > 0]
            if points:
                x, y = np.array(points, dtype=np.float64).T
                lines = (Line(x, y, label),)
                found.append(Figure(name, f"Training: {title}", "epoch", label, lines, y_scale="log", note=note))
        return tuple(found)

    @classmethod
    def of(cls, metadata: Mapping[str, Any]) -> Self | None:
        """What the metadata of a potential hold; None where it was not trained by gradients."""
        stored = metadata.get("training", {}).get("history")
        if stored is None:
            return None
        return cls(tuple(EpochRecord(**record) for record in stored["epochs"]), stored["best_epoch"])

    def write_csv(self, file: Path) -> None:
        """One row an epoch, whole or not at all.

        Raises:
            OutputError: The file cannot be written.
        """
        text = io.StringIO()
        writer = csv.DictWriter(text, [field.name for field in fields(EpochRecord)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(record) for record in self.epochs)
        atomic_write_text(file, text.getvalue())

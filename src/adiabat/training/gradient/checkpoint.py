"""The file that a descent goes on from: parameters, their averages, the best of these, the optimiser's moments, progress."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from adiabat.errors import CheckpointError
from adiabat.runs import atomic_path
from adiabat.training.checkpoint import RULE
from adiabat.training.gradient.progress import Progress

PROGRESS = "progress"
MOMENTS = ("step", "exp_avg", "exp_avg_sq")
"""What AdamW keeps of each parameter."""


@dataclass(frozen=True)
class DescentState:
    """All that a descent is, between two steps.

    Attributes:
        parameters: In the model's order.
        averages: Of them.
        best: Of the best validation.
        optimizer: AdamW.
    """

    parameters: Sequence[Tensor]
    averages: Sequence[Tensor]
    best: Sequence[Tensor]
    optimizer: torch.optim.Optimizer

    def save(self, file: Path, progress: Progress) -> None:
        """Write, whole or not at all.

        Raises:
            OutputError: The file cannot be written.
        """
        tensors = {name: tensor.detach().contiguous() for name, tensor in self._named().items()}
        for number, parameter in enumerate(self.parameters):
            of_parameter = self.optimizer.state.get(parameter, {})
            tensors |= {f"{name}.{number}": of_parameter[name] for name in MOMENTS if name in of_parameter}
        with atomic_path(file) as temporary:
            try:
                save_file(tensors, temporary, metadata={PROGRESS: progress.to_json()})
            except SafetensorError as error:
                raise OSError(str(error)) from error

    @torch.no_grad()
    def load(self, file: Path) -> Progress:
        """The inverse of `save`, into the tensors that are there.

        Raises:
            CheckpointError: The file is damaged, or of another model.
        """
        try:
            with safe_open(file, framework="pt") as stored:
                progress = Progress.from_json(stored.metadata()[PROGRESS])
                for name, tensor in self._named().items():
                    tensor.copy_(stored.get_tensor(name))
                names = set(stored.keys())
                for number, parameter in enumerate(self.parameters):
                    kept = {
                        name: stored.get_tensor(f"{name}.{number}") for name in MOMENTS if f"{name}.{number}" in names
                    }
                    if kept:
                        self.optimizer.state[parameter] = kept
        except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
            raise CheckpointError(
                f"its descent is damaged ({error})",
                place=str(file.parent),
                rule=RULE,
                mend="remove the folder to begin anew",
            ) from error
        return progress

    def _named(self) -> dict[str, Tensor]:
        lists = {"parameter": self.parameters, "average": self.averages, "best": self.best}
        return {f"{name}.{number}": tensor for name, tensors in lists.items() for number, tensor in enumerate(tensors)}

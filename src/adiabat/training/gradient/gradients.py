"""The gradient of a batch, computed in as many parts as memory asks for."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor

from adiabat.errors import TrainingError
from adiabat.models.heads import Heads
from adiabat.system import TrainableModel
from adiabat.training.gradient.assembly import assemble
from adiabat.training.gradient.batches import by_atoms
from adiabat.training.gradient.config import Stage
from adiabat.training.gradient.loss import Loss
from adiabat.training.gradient.targets import Target

NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")
"""What PyTorch says, on whatever device, where it is no error of its own class."""


@dataclass(frozen=True)
class Gradients:
    """Loss and gradient of batches.

    Attributes:
        model: What is trained.
        parameters: By which the loss is differentiated.
        targets: All structures to learn from.
        loss: What is differentiated.
        dtype: In which.
    """

    model: TrainableModel
    parameters: Sequence[Tensor]
    targets: Sequence[Target]
    loss: Loss
    dtype: torch.dtype

    def of(self, chosen: Sequence[int], stage: Stage, at_once: int | None) -> tuple[float, list[Tensor], int | None]:
        """Of a batch.

        Args:
            chosen: Which structures; none give zeros.
            stage: The weights.
            at_once: Atoms that are computed at once; None: the whole batch.

        Returns:
            The loss, its gradient, and the atoms that could be computed at once: fewer where memory did not suffice.

        Raises:
            TrainingError: A structure alone does not fit into memory.
        """
        if not chosen:
            return *self._sum([], stage), at_once
        atoms = [target.evaluated_atoms for target in self.targets]
        whole = sum(atoms[index] for index in chosen)
        while True:
            parts = [list(chosen)] if at_once is None else list(by_atoms(chosen, atoms, at_once))
            try:
                return *self._sum(parts, stage), at_once
            except (MemoryError, RuntimeError) as error:
                if not _is_memory(error):
                    raise
                self._require_divisible(parts)
            at_once = min(whole, at_once or whole) // 2

    def not_finite(self, chosen: Sequence[int], stage: Stage) -> list[str]:
        """Where those structures of a batch stand whose own loss or gradient is not finite; all of them where none is alone."""
        found = []
        for index in chosen:
            loss, gradients = self._sum([[index]], stage)
            values = [torch.tensor(loss), *(gradient.sum() for gradient in gradients)]
            if not all(bool(torch.isfinite(value)) for value in values):
                found.append(self.targets[index].structure.place)
        return found or [self.targets[index].structure.place for index in chosen]

    def _sum(self, parts: Sequence[Sequence[int]], stage: Stage) -> tuple[float, list[Tensor]]:
        total, gradients = 0.0, [torch.zeros_like(parameter) for parameter in self.parameters]
        for part in chain.from_iterable(map(self._by_level, parts)):
            assembly = assemble([self.targets[index] for index in part], cutoff=self.model.cutoff, dtype=self.dtype)
            level = self.targets[part[0]].level
            model = self.model.of_level(level) if isinstance(self.model, Heads) else self.model
            loss = self.loss(assembly.errors(model), stage)
            found = torch.autograd.grad(loss, self.parameters, allow_unused=True, materialize_grads=True)
            for gradient, share in zip(gradients, found, strict=True):
                gradient.add_(share)
            total += float(loss.detach())
        return total, gradients

    def _by_level(self, part: Sequence[int]) -> list[list[int]]:
        """Structures of one level of theory together: each has a head of its own."""
        found: dict[str | None, list[int]] = {}
        for index in part:
            found.setdefault(self.targets[index].level, []).append(index)
        return list(found.values())

    def _require_divisible(self, parts: Sequence[Sequence[int]]) -> None:
        if all(len(part) == 1 for part in parts):
            largest = max((self.targets[part[0]] for part in parts), key=lambda target: target.evaluated_atoms)
            raise TrainingError(
                f"{largest.evaluated_atoms} atoms do not fit into memory",
                place=largest.structure.place,
                rule="the gradient of one structure is computed at once",
                mend="leave the structure out, take a smaller model, or a machine with more memory",
            )


def _is_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or any(words in str(error) for words in NO_MEMORY)

"""A sum with message passing in it: that block by block, what is added to it by its own way."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import torch
from torch import Tensor

from adiabat.models import MessagePassing
from adiabat.models.messages.blocks import BlockEvaluator
from adiabat.potential.compiled import CompiledSum
from adiabat.potential.derivatives import defined_volume, predict
from adiabat.potential.prediction import Prediction
from adiabat.system import Differentiated, EnergyModel, Graph
from adiabat.typing import Quantity


@dataclass(frozen=True, eq=False)
class EvaluatedMessages:
    """Energies, forces and stress of message-passing models and of other terms.

    Attributes:
        models: One or more.
        others: What is added to them.
    """

    models: tuple[MessagePassing, ...]
    others: tuple[EnergyModel, ...]

    @classmethod
    def of(cls, parts: Sequence[EnergyModel]) -> Self | None:
        """The sum of the parts; None without message passing among them."""
        models = tuple(part for part in parts if isinstance(part, MessagePassing))
        others = tuple(part for part in parts if not isinstance(part, MessagePassing))
        return cls(models, others) if models else None

    def serves(self, graph: Graph) -> bool:
        """It serves all graphs."""
        return True

    def predict(self, graph: Graph, want: Collection[Quantity]) -> Prediction:
        """As `derivatives.predict` of the parts' own energies, and errors as of it."""
        if "atomic_virials" in want:
            return predict(self._atomic_energies, graph, want)
        forces, virial = "forces" in want, "stress" in want
        volume = defined_volume(graph.batch) if virial else None
        others = self._predict_others(graph, want)
        found = [evaluator(graph, forces=forces, virial=virial) for evaluator in self._evaluators]
        return _sum(found, graph, want, volume, others)

    def _predict_others(self, graph: Graph, want: Collection[Quantity]) -> Prediction:
        if not self.others:
            return Prediction()
        if self._compiled is not None and self._compiled.serves(graph):
            return self._compiled.predict(graph, want)
        return predict(lambda deformed: _summed([part.atomic_energies(deformed) for part in self.others]), graph, want)

    def _atomic_energies(self, graph: Graph) -> Tensor:
        return _summed([part.atomic_energies(graph) for part in (*self.models, *self.others)])

    @cached_property
    def _evaluators(self) -> tuple[BlockEvaluator, ...]:
        return tuple(_evaluator(model) for model in self.models)

    @cached_property
    def _compiled(self) -> CompiledSum | None:
        return CompiledSum.of(self.others)


def _evaluator(model: MessagePassing) -> BlockEvaluator:
    if not model.is_compiled:
        return BlockEvaluator(model)
    from adiabat.models.messages.compiled import (  # PyTorch's compiler is a heavy import
        COMPILED_BLOCK,
        CompiledFunctions,
    )

    return BlockEvaluator(model, made=CompiledFunctions, block=COMPILED_BLOCK)


def _sum(
    found: Sequence[Differentiated],
    graph: Graph,
    want: Collection[Quantity],
    volume: Tensor | None,
    others: Prediction,
) -> Prediction:
    energies = _summed([one.energies for one in found])
    own = {
        "energy": graph.batch.sum_over_atoms(energies) if "energy" in want else None,
        "energies": energies if "energies" in want else None,
        "forces": _summed([one.forces for one in found if one.forces is not None]) if "forces" in want else None,
        "stress": None
        if volume is None
        else _summed([one.virial for one in found if one.virial is not None]) / volume[:, None, None],
    }
    added = {name: getattr(others, name) for name in own}
    return Prediction(
        **{name: value if added[name] is None or value is None else value + added[name] for name, value in own.items()}
    )


def _summed(tensors: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(tensors)).sum(0)

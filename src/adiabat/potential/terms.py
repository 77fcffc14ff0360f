"""The terms of an energy, evaluated together: by the compiled kernel where it knows them all, by their reference elsewhere."""

from collections.abc import Collection, Sequence
from functools import cached_property

from torch import Tensor

from adiabat.potential.compiled import CompiledSum
from adiabat.potential.derivatives import predict
from adiabat.potential.prediction import Prediction
from adiabat.system import EnergyModel, Graph
from adiabat.typing import Quantity


class Terms:
    """A sum of energy models.

    Attributes:
        parts: What is summed, one or more.
    """

    def __init__(self, parts: Sequence[EnergyModel]) -> None:
        self.parts = tuple(parts)

    def __call__(self, graph: Graph, want: Collection[Quantity]) -> Prediction:
        """Energies and their derivatives, errors as of `derivatives.predict`."""
        if not want:
            return Prediction()
        if self._compiled is not None and self._compiled.serves(graph):
            return self._compiled.predict(graph, want)
        return predict(self.atomic_energies, graph, want)

    def atomic_energies(self, graph: Graph) -> Tensor:
        """(N,) eV: the sum of the parts, differentiable in the graph's positions and cell."""
        first, *others = (part.atomic_energies(graph) for part in self.parts)
        return sum(others, start=first)

    @cached_property
    def _compiled(self) -> CompiledSum | None:
        return CompiledSum.of(self.parts)

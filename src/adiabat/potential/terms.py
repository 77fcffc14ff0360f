"""The terms of an energy, evaluated together: by the compiled kernel where it knows them all, by their reference elsewhere."""

from collections.abc import Collection, Sequence
from functools import cached_property

import torch
from torch import Tensor

from adiabat.models import Mean
from adiabat.potential.compiled import CompiledSum
from adiabat.potential.compiled_committee import CompiledCommittee
from adiabat.potential.compiled_network import CompiledNetwork
from adiabat.potential.derivatives import predict
from adiabat.potential.evaluated_messages import EvaluatedMessages
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
        if self.members is not None:
            return _mean(self.members.each(graph, want), want)
        if self._compiled is not None and self._compiled.serves(graph):
            return self._compiled.predict(graph, want)
        return predict(self.atomic_energies, graph, want)

    def atomic_energies(self, graph: Graph) -> Tensor:
        """(N,) eV: the sum of the parts, differentiable in the graph's positions and cell."""
        first, *others = (part.atomic_energies(graph) for part in self.parts)
        return sum(others, start=first)

    @cached_property
    def members(self) -> "Members | None":
        """Of a mean of members, each with what stands beside the mean; None without one, or with several."""
        members = members_of(self.parts)
        return None if members is None else Members(members)

    @cached_property
    def _compiled(self) -> CompiledSum | CompiledNetwork | EvaluatedMessages | None:
        return CompiledSum.of(self.parts) or CompiledNetwork.of(self.parts) or EvaluatedMessages.of(self.parts)


def members_of(parts: Sequence[EnergyModel]) -> list[tuple[EnergyModel, ...]] | None:
    """The parts of each member of the one mean among some parts, those beside it first; None without one, or with several."""
    means = [part for part in parts if isinstance(part, Mean)]
    if len(means) != 1:
        return None
    beside = tuple(part for part in parts if not isinstance(part, Mean))
    return [(*beside, *member) for member in means[0].members]


class Members:
    """Several sums of energy models: in one walk of the compiled kernel where they share a basis.

    Attributes:
        terms: Of each member.
    """

    def __init__(self, members: Sequence[Sequence[EnergyModel]]) -> None:
        self.terms = tuple(Terms(parts) for parts in members)

    def each(self, graph: Graph, want: Collection[Quantity]) -> tuple[Prediction, ...]:
        """What each says, standard deviations aside; errors as of `derivatives.predict`."""
        if self._compiled is not None and self._compiled.serves(graph):
            return self._compiled.each(graph, want)
        return tuple(terms(graph, want) for terms in self.terms)

    @cached_property
    def _compiled(self) -> CompiledCommittee | None:
        return CompiledCommittee.of([terms.parts for terms in self.terms])


def _mean(predictions: Sequence[Prediction], want: Collection[Quantity]) -> Prediction:
    return Prediction(**{name: torch.stack([getattr(one, name) for one in predictions]).mean(0) for name in want})

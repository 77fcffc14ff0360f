"""How far atoms are from the training data, by what the potential carries of it."""

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor

from adiabat.potential import Potential
from adiabat.system import FeatureModel, Graph
from adiabat.uncertainty import FeatureStatistics
from adiabat.uncertainty.extrapolation import Extrapolation

Distance = Callable[[Graph], Tensor]
"""(N,) how far each atom's environment is from those of the training data."""
T = TypeVar("T")


def training_distance(potential: Potential) -> Distance | None:
    """By what the potential keeps of its training to detect extrapolation, or of its features; None where it carries neither.

    The features are those of the last part that has any: of a network, not of the expansion that it stands beside.
    """
    detector, statistics = extrapolation_of(potential), _one(potential, FeatureStatistics)
    models = [part for part in potential.parts if isinstance(part, FeatureModel)]
    measure = detector.grades if detector is not None else statistics.distance if statistics is not None else None
    if measure is None or not models:
        return None
    model = models[-1]

    def distance(graph: Graph) -> Tensor:
        with torch.no_grad():
            return measure(model.features(graph).to(dtype=torch.float64, device="cpu"), graph.batch.numbers.cpu())

    return distance


def extrapolation_of(potential: Potential) -> Extrapolation | None:
    """What the potential keeps of its training to detect extrapolation; None where it keeps nothing."""
    return _one(potential, Extrapolation)


def _one(potential: Potential, kind: type[T]) -> T | None:
    found = [part for part in potential.attachments.values() if isinstance(part, kind)]
    return found[0] if len(found) == 1 else None

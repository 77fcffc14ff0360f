"""How far atoms are from the training data, by what the potential carries of it."""

from collections.abc import Callable

import torch
from torch import Tensor

from adiabat.potential import Potential
from adiabat.system import FeatureModel, Graph
from adiabat.uncertainty import FeatureStatistics

Distance = Callable[[Graph], Tensor]
"""(N,) how far each atom's environment is from those of the training data."""


def training_distance(potential: Potential) -> Distance | None:
    """By the statistics of the features that the potential was trained on; None where it carries none."""
    found = [part for part in potential.attachments.values() if isinstance(part, FeatureStatistics)]
    models = [part for part in potential.parts if isinstance(part, FeatureModel)]
    if len(found) != 1 or len(models) != 1:
        return None
    [statistics], [model] = found, models

    def distance(graph: Graph) -> Tensor:
        with torch.no_grad():
            return statistics.distance(model.features(graph).to(statistics.mean), graph.batch.numbers)

    return distance

"""Rows whose product with the coefficients of a linear model is each atom's energy."""

import torch
from torch import Tensor

from adiabat.system import Graph, LinearModel


def feature_rows(model: LinearModel, graph: Graph) -> Tensor:
    """(N, columns) each atom's features in the columns of its species.

    Args:
        model: With coefficients of one species after the other's.
        graph: Edges at least as long as the model's cutoff.
    """
    features = model.features(graph)
    species = torch.searchsorted(torch.tensor(model.species), graph.batch.numbers)
    rows = features.new_zeros(len(features), len(model.species), features.shape[1])
    rows[torch.arange(len(features)), species] = features
    return rows.flatten(1)

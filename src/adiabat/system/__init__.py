"""Structures as tensors, their edges and labels, and the protocols between the layers."""

from adiabat.system.batch import Batch, require_valid
from adiabat.system.graph import Edges, Graph, ListedEdges
from adiabat.system.labels import Labelled, Labels
from adiabat.system.protocols import (
    DesignRows,
    Differentiated,
    DifferentiatingModel,
    EnergyModel,
    FeatureModel,
    LinearModel,
    PartState,
    TrainableModel,
    is_exact,
)
from adiabat.system.registry import Storable, register, restore

__all__ = [
    "Batch",
    "DesignRows",
    "Differentiated",
    "DifferentiatingModel",
    "Edges",
    "EnergyModel",
    "FeatureModel",
    "Graph",
    "Labelled",
    "Labels",
    "LinearModel",
    "ListedEdges",
    "PartState",
    "Storable",
    "TrainableModel",
    "is_exact",
    "register",
    "require_valid",
    "restore",
]

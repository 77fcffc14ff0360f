"""Structures as tensors, their edges and labels, and the protocols between the layers."""

from adiabat.system.batch import Batch, require_valid
from adiabat.system.graph import Edges, Graph, ListedEdges
from adiabat.system.labels import Labelled, Labels
from adiabat.system.protocols import EnergyModel, FeatureModel, Oracle, PartState
from adiabat.system.registry import Storable, register, restore

__all__ = [
    "Batch",
    "Edges",
    "EnergyModel",
    "FeatureModel",
    "Graph",
    "Labelled",
    "Labels",
    "ListedEdges",
    "Oracle",
    "PartState",
    "Storable",
    "register",
    "require_valid",
    "restore",
]

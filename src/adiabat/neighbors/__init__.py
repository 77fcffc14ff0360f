"""Edges for a batch: any cell, any mixture of periodic directions."""

from adiabat.neighbors.edges import SearchedEdges, neighbor_graph, pair_vectors
from adiabat.neighbors.skin import SkinList

__all__ = ["SearchedEdges", "SkinList", "neighbor_graph", "pair_vectors"]

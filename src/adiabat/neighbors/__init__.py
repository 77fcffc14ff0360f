"""Edges for a batch: any cell, any mixture of periodic directions."""

from adiabat.neighbors.edges import neighbor_graph, pair_vectors
from adiabat.neighbors.skin import SkinList

__all__ = ["SkinList", "neighbor_graph", "pair_vectors"]

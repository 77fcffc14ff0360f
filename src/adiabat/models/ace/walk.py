"""A graph in the form in which the compiled kernel takes it."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
from ase.data import chemical_symbols
from torch import Tensor

from adiabat.kernels.ace import Configuration, Execution, Indices
from adiabat.kernels.edges import EdgeList, listed_edges
from adiabat.neighbors import SearchedEdges
from adiabat.runs import allowed_threads
from adiabat.system import Graph
from adiabat.typing import FloatArray


def made_configuration(graph: Graph, species: Sequence[int]) -> Configuration:
    """The graph for a plan of these species; an element that is not among them has the place -1, which the kernel refuses."""
    batch = graph.batch
    return Configuration(
        edges=made_edge_list(graph),
        positions=float_array(batch.positions),
        cells=float_array(batch.cell),
        species=_places(tuple(species))[batch.numbers.numpy()],
    )


@cache
def _places(species: tuple[int, ...]) -> Indices:
    """(Z,): the place of each atomic number among the species."""
    places = np.full(len(chemical_symbols), -1, dtype=np.int32)
    places[list(species)] = np.arange(len(species), dtype=np.int32)
    return places


def made_execution(graph: Graph, *, instruction_set: str | None = None) -> Execution:
    """In the floating-point type of the graph, on the threads that are allowed."""
    return Execution(
        single=graph.batch.positions.dtype == torch.float32,
        threads=allowed_threads(),
        instruction_set=instruction_set,
    )


def made_edge_list(graph: Graph) -> EdgeList:
    """The edges as the kernel walks them: those of a search as they are, listed ones made so."""
    edges, batch = graph.edges, graph.batch
    if isinstance(edges, SearchedEdges):
        return edges.found
    tensors = (edges.center, edges.neighbor, edges.shift, batch.system)
    return listed_edges(batch.n_systems, *(np.ascontiguousarray(tensor.numpy()) for tensor in tensors))


def float_array(tensor: Tensor) -> FloatArray:
    """In float64 and contiguous; no copy where it is so already."""
    if tensor.dtype == torch.float64 and tensor.is_contiguous():
        return tensor.detach().numpy()
    return np.ascontiguousarray(tensor.detach().double().numpy())

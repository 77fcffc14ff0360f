"""Design rows of a linear model: how energy, forces and stress of a structure depend on its coefficients."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse
import torch
from torch import Tensor

from adiabat.basis.specification import BasisSpecification
from adiabat.models.ace.density import atomic_density, edge_functions, species_index
from adiabat.models.ace.invariants import invariants
from adiabat.system import DesignRows, Graph


@dataclass(frozen=True, eq=False)
class RowBuilder:
    """Exact rows by the chain rule: ∂B/∂A (sparse: the products) times ∂A/∂r (the edge functions' gradients).

    Attributes:
        basis: What the invariants are.
    """

    basis: BasisSpecification

    def __call__(self, graph: Graph) -> DesignRows:
        """The rows of a graph with one structure."""
        basis = self.basis
        graph = graph.within(basis.cutoff)
        density = atomic_density(graph, basis)
        index = species_index(graph.batch.numbers, basis.species)
        n_atoms, n_species, n_functions = graph.batch.n_atoms, len(basis.species), basis.n_functions
        features = invariants(density, basis)
        energy = density.new_zeros(n_species, n_functions).index_add(0, index, features)
        by_edge = self._edge_derivatives(graph, density, index)
        vectors = graph.vectors()
        forces = density.new_zeros(n_atoms, 3, n_species, n_functions)
        virial = density.new_zeros(3, 3, n_species, n_functions)
        for s in range(n_species):
            of_species = (index[graph.center] == s).nonzero().squeeze(-1)
            part = by_edge if n_species == 1 else by_edge[of_species]
            forces[:, :, s].index_add_(0, graph.neighbor[of_species], part, alpha=-1)
            forces[:, :, s].index_add_(0, graph.center[of_species], part)
            virial[:, :, s] = torch.einsum("ea,ebk->abk", vectors[of_species], part)
        return DesignRows(features, energy.flatten(), forces.reshape(3 * n_atoms, -1), virial.reshape(3, 3, -1))

    def _edge_derivatives(self, graph: Graph, density: Tensor, index: Tensor) -> Tensor:
        """(E, 3, K): the derivative of the centre's invariants by each edge vector."""
        basis, components = self.basis, self._components
        pair = (index[graph.center], index[graph.neighbor])
        gradient = _edge_function_gradients(graph.vectors(), pair, basis)  # (E, 3, V)
        entries = self._derivative_entries(density[:, components])
        found = density.new_zeros(graph.n_edges, 3, basis.n_functions)
        jacobian = density.new_zeros(len(components), basis.n_functions)
        stops = torch.bincount(graph.center, minlength=len(density)).cumsum(0).tolist()
        for atom, (start, stop) in enumerate(zip([0, *stops[:-1]], stops, strict=True)):
            jacobian.view(-1)[self._entry_places] = entries[atom]
            for s, (seen, column, weight) in enumerate(self._by_neighbor):
                edges = start + (pair[1][start:stop] == s).nonzero().squeeze(-1)
                if len(edges):
                    found[edges] = (gradient[edges][:, :, column] * weight) @ jacobian[seen]
        return found

    @cached_property
    def _components(self) -> Tensor:
        """The components of the flattened density that some product holds, ascending."""
        return torch.from_numpy(np.unique(np.concatenate([p.index.ravel() for p in self.basis.products])))

    @cached_property
    def _by_neighbor(self) -> list[tuple[Tensor, Tensor, Tensor]]:
        """For each species of neighbour: the components that it adds to, the edge functions they take, and their weights."""
        per_channel = self.basis.n_max * (self.basis.l_max + 1) ** 2
        channel = self._components // per_channel
        found = []
        for s in range(len(self.basis.species)):
            weight = self.basis.mixing[channel, s]
            seen = weight.nonzero().squeeze(-1)
            found.append((seen, self._components[seen] % per_channel, weight[seen]))
        return found

    def _derivative_entries(self, density: Tensor) -> Tensor:
        """(N, entries): the entries of ∂B/∂A that are not always zero, from the used components of the density."""
        others = [_others(density, index) for index in self._indices]
        return torch.from_numpy((self._derivative_matrix @ np.concatenate(others)).T.copy())

    @cached_property
    def _indices(self) -> list[Tensor]:
        """The product tables, pointing into the used components."""
        return [torch.searchsorted(self._components, torch.from_numpy(p.index)) for p in self.basis.products]

    @cached_property
    def _entry_places(self) -> Tensor:
        """Where the entries stand in the (used components, functions) matrix."""
        return torch.from_numpy(np.unique(self._entries[0]))

    @cached_property
    def _derivative_matrix(self) -> scipy.sparse.csr_matrix:
        """(entries, all products' factors): which entry the product of the other factors goes to, with its coupling."""
        places, columns, values = self._entries
        rows = np.searchsorted(self._entry_places.numpy(), places)
        width = sum(index.numel() for index in self._indices)
        return scipy.sparse.csr_matrix((values, (rows, columns)), shape=(len(self._entry_places), width))

    @cached_property
    def _entries(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        places, columns, values, first = [], [], [], 0
        for products, index in zip(self.basis.products, self._indices, strict=True):
            factors = index.shape[1]
            component = index.numpy()[products.product]
            places.append((component * self.basis.n_functions + products.function[:, None]).ravel())
            columns.append(first + (products.product[:, None] * factors + np.arange(factors)).ravel())
            values.append(np.repeat(products.value, factors))
            first += index.numel()
        return np.concatenate(places), np.concatenate(columns), np.concatenate(values)


def _others(density: Tensor, index: Tensor) -> np.ndarray:
    """(T · factors, N): for each factor of each product, the product of the others."""
    columns = [density[:, index[:, factor]] for factor in range(index.shape[1])]
    found = []
    for factor in range(len(columns)):
        others = torch.ones_like(columns[0])
        for position, column in enumerate(columns):
            if position != factor:
                others = others * column
        found.append(others)
    return torch.stack(found, dim=-1).flatten(1).T.contiguous().numpy()


def _edge_function_gradients(vectors: Tensor, pair: tuple[Tensor, Tensor], basis: BasisSpecification) -> Tensor:
    """(E, 3, V): forward-mode derivatives of the flattened edge functions by the edge vector."""
    columns = []
    for axis in range(3):
        tangent = torch.zeros_like(vectors)
        tangent[:, axis] = 1.0
        columns.append(torch.func.jvp(lambda v: edge_functions(v, pair, basis).flatten(1), (vectors,), (tangent,))[1])
    return torch.stack(columns, dim=1)

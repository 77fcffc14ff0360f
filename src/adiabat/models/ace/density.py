"""The atomic density: neighbours expanded in radial functions and spherical harmonics."""

import torch
from torch import Tensor

from adiabat.basis.angular import real_spherical_harmonics
from adiabat.basis.radial import inner_switch, simplified_bessel
from adiabat.basis.specification import BasisSpecification
from adiabat.system import Graph


def species_index(numbers: Tensor, species: tuple[int, ...]) -> Tensor:
    """(N,) the place of each atomic number among the (ascending) species."""
    return torch.searchsorted(torch.tensor(species, device=numbers.device), numbers)


def edge_functions(vectors: Tensor, pair: tuple[Tensor, Tensor], basis: BasisSpecification) -> Tensor:
    """R_nl(r) Y_lm of each edge.

    Args:
        vectors: (E, 3) Å.
        pair: Species indices of centre and neighbour, (E,) each.
        basis: What is expanded in.

    Returns:
        (E, n_max, (l_max+1)²).
    """
    distance = vectors.square().sum(-1).sqrt()
    g = simplified_bessel(distance, basis.contraction.shape[2], basis.cutoff)
    radius, width = (table[pair] for table in inner_tables(basis, vectors))
    g = g * inner_switch(distance, radius, width)[:, None]
    by_degree = torch.einsum("ek,lnk->eln", g, basis.contraction)
    degree_of_lm = torch.tensor([l for l in range(basis.l_max + 1) for _ in range(2 * l + 1)], device=vectors.device)
    harmonics = real_spherical_harmonics(vectors / distance[:, None], basis.l_max)
    return by_degree[:, degree_of_lm].transpose(1, 2) * harmonics[:, None, :]


def inner_tables(basis: BasisSpecification, like: Tensor) -> tuple[Tensor, Tensor]:
    """(species, species) inner radii and widths, Å."""
    count = len(basis.species)
    radius, width = like.new_zeros(count, count), like.new_ones(count, count)
    for (low, high), inner in basis.inner.items():
        a, b = basis.species.index(low), basis.species.index(high)
        radius[a, b] = radius[b, a] = inner.radius
        width[a, b] = width[b, a] = inner.width
    return radius, width


def atomic_density(graph: Graph, basis: BasisSpecification) -> Tensor:
    """A: (N, n_density), the flattened (channel, n, lm) density of each atom."""
    graph = graph.within(basis.cutoff)
    batch = graph.batch
    index = species_index(batch.numbers, basis.species)
    functions = edge_functions(graph.vectors(), (index[graph.center], index[graph.neighbor]), basis)
    by_species = functions.new_zeros(batch.n_atoms * len(basis.species), *functions.shape[1:])
    by_species = by_species.index_add(0, graph.center * len(basis.species) + index[graph.neighbor], functions)
    by_species = by_species.reshape(batch.n_atoms, len(basis.species), -1)
    return torch.einsum("cz,izv->icv", basis.mixing, by_species).flatten(1)

"""Features of atoms for learning tasks of any kind: invariants, tensors of any degree, and pseudoscalars, which know left from right.

An atom's density is A_q,lm = Σ_j R_n(r_ij) Y_lm(r̂_ij), q = (element of j, n). Products of densities, coupled by Clebsch-Gordan
coefficients, are spherical tensors; those of degree 0 are invariants if the degrees of their factors add up to an even number, and
change sign under reflection if to an odd one. Of two densities nothing is odd and of degree 0; of three, it is where no two
factors are the same.
"""

from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
import torch
from torch import Tensor

from adiabat.basis.angular import real_spherical_harmonics
from adiabat.basis.radial import simplified_bessel
from adiabat.basis.spherical import Kind, coupling, places
from adiabat.errors import ConfigurationError, UnknownSpecies
from adiabat.system import Graph


@dataclass(frozen=True)
class AtomFeatures:
    """Invariant and equivariant features of each atom's surroundings.

    Attributes:
        species: Atomic numbers of the neighbours that count, ascending; an atom of any other is refused.
        cutoff_angstrom: Neighbours count up to here; everything goes to zero there, with two derivatives.
        radial: Radial functions of each element.
        l_max: Highest degree of the density.

    Raises:
        ConfigurationError: No species, or not ascending; a number that is not positive.
    """

    species: tuple[int, ...]
    cutoff_angstrom: float = 5.0
    radial: int = 3
    l_max: int = 2

    def __post_init__(self) -> None:
        ascending = list(self.species) == sorted(set(self.species)) and len(self.species) > 0
        if not (ascending and self.cutoff_angstrom > 0 and self.radial > 0 and self.l_max > 0):
            raise ConfigurationError(
                f"{self}",
                place="features of atoms",
                rule="species are one or more, ascending; cutoff, radial functions and l_max are positive",
                mend="give such values",
            )

    @property
    def channels(self) -> int:
        """Of the density: elements times radial functions."""
        return len(self.species) * self.radial

    def density(self, graph: Graph) -> dict[Kind, Tensor]:
        """The density of each atom, by degree: true tensors (N, channels, 2l+1).

        Args:
            graph: Edges at least as long as the cutoff.

        Raises:
            UnknownSpecies: An element that is not among the species.
        """
        graph = graph.within(self.cutoff_angstrom)
        index = self._index(graph.batch.numbers)
        vectors = graph.vectors()
        distance = vectors.square().sum(-1).sqrt()
        functions = simplified_bessel(distance, self.radial, self.cutoff_angstrom)
        harmonics = real_spherical_harmonics(vectors / distance[:, None], self.l_max)
        n, count = graph.batch.n_atoms, len(self.species)
        edges = functions[:, :, None] * harmonics[:, None, :]
        place = graph.center * count + index[graph.neighbor]
        total = edges.new_zeros(n * count, *edges.shape[1:]).index_add(0, place, edges)
        total = total.reshape(n, self.channels, -1)
        return {Kind.true(l): total[..., list(places(l))] for l in range(self.l_max + 1)}

    def invariants(self, graph: Graph) -> Tensor:
        """(N, K): the scalars of the density, and the scalar products of its channels with each other, degree by degree.

        They are the same for a structure and its mirror image: what they cannot tell apart, no function of them can.
        """
        density = self.density(graph)
        upper = torch.triu_indices(self.channels, self.channels)
        products = [
            torch.einsum("nqm,nkm->nqk", tensor, tensor)[:, upper[0], upper[1]] / tensor.shape[-1] ** 0.5
            for tensor in density.values()
        ]
        return torch.cat([density[Kind.true(0)][..., 0], *products], dim=-1)

    def pseudoscalars(self, graph: Graph) -> Tensor:
        """(N, P): products of three densities, unchanged by rotations, that change sign under reflection.

        All of an atom's vanish where a reflection maps its surroundings to themselves.

        Raises:
            ConfigurationError: There is none: fewer than two channels, or fewer than three with l_max 1.
        """
        density = self.density(graph)
        found = [
            _odd_products([density[Kind.true(l)] for l in degrees], degrees)
            for degrees in combinations_with_replacement(range(1, self.l_max + 1), 3)
            if sum(degrees) % 2 == 1 and degrees[2] <= degrees[0] + degrees[1]
        ]
        values = torch.cat(found, dim=-1)
        if values.shape[-1] == 0:
            raise ConfigurationError(
                f"there is no pseudoscalar of {self.channels} channels up to l = {self.l_max}",
                place="features of atoms",
                rule="no two factors of a pseudoscalar of three densities are the same",
                mend="take more radial functions, or a larger l_max",
            )
        return values

    def tensors(self, graph: Graph, kind: Kind) -> Tensor:
        """(N, K, 2l+1): the density where it is of the kind, and its products of two of this kind, true or pseudotensors.

        Raises:
            ConfigurationError: No product is of this kind.
        """
        density = self.density(graph)
        found = [density[kind]] if kind in density else []
        for first, second in combinations_with_replacement(sorted(density), 2):
            if kind in first.times(second):
                table = _table(first.degree, second.degree, kind.degree, density[first])
                pairs = torch.einsum("abc,nqa,nkb->nqkc", table, density[first], density[second])
                chosen = _channel_pairs(self.channels, same=first == second, odd=not kind.is_true)
                found.append(pairs[:, chosen[0], chosen[1]])
        if not found or sum(each.shape[1] for each in found) == 0:
            raise ConfigurationError(
                f"no product of two densities up to l = {self.l_max} is of the kind {kind}",
                place="features of atoms",
                rule="l is at most twice l_max; a pseudotensor of two densities has a degree of 1 or more and two channels",
                mend="ask for another kind, or take a larger l_max",
            )
        return torch.cat(found, dim=1)

    def _index(self, numbers: Tensor) -> Tensor:
        known = torch.tensor(self.species, device=numbers.device)
        unknown = ~torch.isin(numbers, known)
        if bool(unknown.any()):
            atom = int(unknown.nonzero()[0])
            raise UnknownSpecies(
                f"atom {atom} of the batch has the number {int(numbers[atom])}",
                rule=f"these features know {', '.join(map(str, self.species))}",
                mend="add its number to the species",
            )
        return torch.searchsorted(known, numbers)


def _odd_products(tensors: list[Tensor], degrees: tuple[int, ...]) -> Tensor:
    """(N, P): of each three channels that give something of their own."""
    l1, l2, l3 = degrees
    table = _table(l1, l2, l3, tensors[0])
    values = torch.einsum("abc,nqa,nkb,npc->nqkp", table, *tensors) / (2 * l3 + 1) ** 0.5
    q, k, p = np.indices(values.shape[1:]).reshape(3, -1)
    # Exchanging two factors of one degree changes the sign: each set of channels once, and none twice.
    own = np.ones(len(q), dtype=bool)
    own &= (q < k) if l1 == l2 else True
    own &= (k < p) if l2 == l3 else True
    return values.flatten(1)[:, torch.from_numpy(np.flatnonzero(own)).to(values.device)]


def _channel_pairs(channels: int, *, same: bool, odd: bool) -> Tensor:
    """(2, pairs): all; of a tensor with itself each once, an odd coupling being zero for a channel with itself."""
    if not same:
        return torch.cartesian_prod(torch.arange(channels), torch.arange(channels)).T
    return torch.triu_indices(channels, channels, offset=1 if odd else 0)


def _table(l1: int, l2: int, l3: int, like: Tensor) -> Tensor:
    return torch.tensor(coupling(l1, l2, l3)).to(like)

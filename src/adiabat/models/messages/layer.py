"""A layer: convolution, products, a network on each atom; what the atom then tells its neighbours, and its energy."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import silu

from adiabat.models.messages.config import MessagesConfig
from adiabat.models.messages.convolution import Mixing, VectorGeometry, density
from adiabat.models.messages.products import Products

EVERY = slice(None)


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What an atom meets in every layer.

    Attributes:
        harmonics: (N, J, (l_max+1)²).
        vector_geometry: (N, 3 J, rows); None where no vectors are told.
        species: (N,).
    """

    harmonics: Tensor
    vector_geometry: Tensor | None
    species: Tensor


@dataclass(frozen=True, eq=False)
class State:
    """What is known of each atom after a layer.

    Attributes:
        hidden: (N, hidden), scalars.
        told: (N, K + 3 K'): scalars, then vectors, that its neighbours will hear; None after the last layer.
    """

    hidden: Tensor
    told: Tensor | None = None


@dataclass(frozen=True, eq=False)
class Heard:
    """What an atom knows when a layer begins.

    Attributes:
        hidden: (N, hidden), its own.
        told: (N, J, K + 3 K'), by its neighbours.
    """

    hidden: Tensor
    told: Tensor

    @classmethod
    def of(cls, state: State | None, neighbor: Tensor, own: slice = EVERY) -> "Heard | None":
        """From what is known of all atoms; None before the first layer.

        Args:
            state: After the layer before.
            neighbor: (N, J), of some atoms.
            own: Which these are.
        """
        if state is None or state.told is None:
            return None
        told = state.told.index_select(0, neighbor.flatten())
        return cls(state.hidden[own], told.reshape(*neighbor.shape, -1))


class Layer(nn.Module):
    """One layer.

    Args:
        config: Its shape.
        species: Number of elements.
        first: Neighbours have told nothing yet.
        last: Nothing is told afterwards.
    """

    def __init__(self, config: MessagesConfig, *, species: int, first: bool, last: bool) -> None:
        super().__init__()
        degrees = tuple(range(config.l_max + 1))
        self.components = [2 * degree + 1 for degree in degrees]
        self.species, self.hidden = species, config.hidden
        tells_vectors = config.vector_channels > 0 and not last
        self.tells = config.edge_channels + (3 * config.vector_channels if tells_vectors else 0)
        self.mixing = Mixing(degrees, config.edge_channels, config.channels)
        self.vector_mixing: Mixing | None = None
        if config.vector_channels > 0 and not first:
            geometry = VectorGeometry(config.l_max)
            self.vector_mixing = Mixing(geometry.degrees, config.vector_channels, config.channels)
            place = [row for degree in geometry.degrees for row in range(degree**2, (degree + 1) ** 2)]
            self.register_buffer("vector_place", torch.tensor(place), persistent=False)
        self.center = nn.Parameter(torch.ones(species, config.channels))
        self.products = Products(config.l_max, vectors=tells_vectors)
        count = self.products.invariants * config.channels
        of_row = torch.tensor([degree for degree in degrees for _ in range(2 * degree + 1)])
        self.register_buffer("of_row", of_row, persistent=False)
        self.register_buffer("density_scale", torch.ones(len(degrees)))
        self.register_buffer("mean", torch.zeros(count))
        self.register_buffer("deviation", torch.ones(count))
        self.network = _Network(count, config.hidden, species=species, first=first)
        self.told_scalars = None if last else _linear(config.hidden, config.edge_channels)
        self.gates = _linear(config.hidden, config.vector_channels) if tells_vectors else None
        told = self.products.vectors * config.channels
        self.told_vectors = _linear(told, config.vector_channels) if tells_vectors else None

    def forward(self, around: Surroundings, radial: Tensor, heard: Heard | None) -> State:
        """What is known of each atom.

        Args:
            around: The neighbourhoods.
            radial: (N, J, K + K'): this layer's radial functions.
            heard: None in the first layer.
        """
        found = self.scaled(self.density(around, radial, heard), around.species)
        invariants, vectors = self.products(found)
        return self.told(invariants, vectors, around.species, None if heard is None else heard.hidden)

    def density(self, around: Surroundings, radial: Tensor, heard: Heard | None) -> Tensor:
        """((l_max+1)², N, channels)."""
        if heard is None:
            return self.mixing(density(around.harmonics, radial))
        k = self.mixing.weights.shape[1]
        found = self.mixing(density(around.harmonics, radial[..., :k] * heard.told[..., :k]))
        if self.vector_mixing is None or around.vector_geometry is None:
            return found
        n, j, _ = radial.shape
        vectors = heard.told[..., k:].reshape(n, j, 3, -1) * radial[..., None, k:]
        mixed = self.vector_mixing(density(around.vector_geometry, vectors.reshape(n, 3 * j, -1)))
        return found.index_add(0, self.get_buffer("vector_place"), mixed)

    def scaled(self, found: Tensor, species: Tensor) -> Tensor:
        """The density, of order one, each channel weighed by the atom's element."""
        scale = self.get_buffer("density_scale")[self.get_buffer("of_row")]
        center = self.center if self.species == 1 else self.center[species]
        return found * scale[:, None, None] * center

    def told(self, invariants: Tensor, vectors: Tensor | None, species: Tensor, before: Tensor | None) -> State:
        """What is known of each atom, of its invariants and vectors, and of what it knew before (N, hidden)."""
        flat = invariants.transpose(0, 1).flatten(1)
        flat = (flat - self.get_buffer("mean")) / self.get_buffer("deviation")
        hidden = self.network(flat, species, before)
        if self.told_scalars is None:
            return State(hidden)
        told = [self.told_scalars(hidden)]
        if vectors is not None and self.told_vectors is not None and self.gates is not None:
            told.append((self.told_vectors(vectors) * self.gates(hidden)).transpose(0, 1).flatten(1))
        return State(hidden, torch.cat(told, dim=-1))


class _Network(nn.Module):
    """Two layers, the first with a bias for each element."""

    def __init__(self, inward: int, hidden: int, *, species: int, first: bool) -> None:
        super().__init__()
        self.species = species
        self.inward = _linear(inward, hidden)
        self.bias = nn.Parameter(torch.randn(species, hidden) * 0.3)
        self.before = None if first else _linear(hidden, hidden)
        self.outward = nn.Linear(hidden, hidden)

    def forward(self, features: Tensor, species: Tensor, before: Tensor | None) -> Tensor:
        inner = self.inward(features) + (self.bias if self.species == 1 else self.bias[species])
        if self.before is not None and before is not None:
            inner = inner + self.before(before)
        return silu(self.outward(silu(inner)))


def _linear(inward: int, outward: int) -> nn.Linear:
    layer = nn.Linear(inward, outward, bias=False)
    nn.init.normal_(layer.weight, std=inward**-0.5)
    return layer

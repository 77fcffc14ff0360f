"""A perceptron for each element, on invariants of whatever kind."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import torch
from torch import Tensor, nn

from adiabat.models.ace.density import species_index
from adiabat.models.network.perceptron import Perceptron
from adiabat.system import Graph, PartState


@dataclass(frozen=True, eq=False)
class Inputs:
    """How invariants become what perceptrons see: x = (B - mean) Tᵀ; fixed, from the training data.

    Attributes:
        mean: (species, functions).
        transform: (species, inputs, functions) T.
    """

    mean: Tensor
    transform: Tensor


class ElementNetworks(nn.Module, ABC):
    """E_i = s (f_z(x_i) - f_z(x of an atom without neighbours)), x from invariants that vanish without neighbours, z the element of atom i.

    J. Behler, M. Parrinello, Phys. Rev. Lett. 98, 146401 (2007), equations 1 and 2.

    Args:
        species: Atomic numbers, ascending.
        inputs: What the perceptrons see.
        perceptrons: f, one for each species.
        scale_ev: s.
    """

    def __init__(
        self, species: tuple[int, ...], inputs: Inputs, perceptrons: Sequence[Perceptron], *, scale_ev: float
    ) -> None:
        super().__init__()
        self.species = species
        self.scale_ev = scale_ev
        self.mean: Tensor
        self.transform: Tensor
        self.register_buffer("mean", inputs.mean)
        self.register_buffer("transform", inputs.transform)
        self.perceptrons = nn.ModuleList(perceptrons)

    kind: ClassVar[str]

    @property
    @abstractmethod
    def cutoff(self) -> float:
        """Å."""

    @property
    def interaction_range(self) -> float:
        """Å: as the cutoff."""
        return self.cutoff

    @abstractmethod
    def to_state(self) -> PartState:
        """What a file keeps."""

    @abstractmethod
    def invariants(self, graph: Graph) -> Tensor:
        """(N, functions): what the inputs are made of."""

    @abstractmethod
    def to(self, *, dtype: torch.dtype | None = None, device: torch.device | str | None = None) -> Self:
        """The same model in another floating-point type or on another device."""

    @property
    def hidden(self) -> tuple[int, ...]:
        """Widths of the layers."""
        return tuple(len(bias) for bias in self.perceptron(0).biases)

    def atomic_energies(self, graph: Graph) -> Tensor:
        """(N,) eV."""
        return self.energies_of(self.invariants(graph), species_index(graph.batch.numbers, self.species))

    def energies_of(self, values: Tensor, index: Tensor) -> Tensor:
        """(N,) eV of invariants (N, functions) and places of elements (N,)."""
        energies = values.new_zeros(len(values))
        for place, of in by_species(index, len(self.species)):
            energies = energies.index_put((of,), self._energies(place, values[of]))
        return energies

    @property
    def coefficients(self) -> Tensor:
        """(species, inputs + last hidden): what the energy is linear in, the last layer's."""
        perceptrons = [self.perceptron(place) for place in range(len(self.species))]
        return torch.stack([torch.cat([one.direct, one.readout]) for one in perceptrons]).detach()

    def features(self, graph: Graph) -> Tensor:
        """(N, inputs + last hidden) eV: what the last layer weighs; zero without neighbours."""
        return self.features_of(self.invariants(graph), species_index(graph.batch.numbers, self.species))

    def features_of(self, values: Tensor, index: Tensor) -> Tensor:
        """`features` of invariants (N, functions) and places of elements (N,)."""
        found = values.new_zeros(len(values), self.coefficients.shape[1])
        for place, of in by_species(index, len(self.species)):
            found = found.index_put((of,), self._last_layer(place, values[of]))
        return found

    def with_coefficients(self, coefficients: Tensor) -> Self:
        """The model with another last layer, (columns,)."""
        found = self.to()
        of_species = coefficients.reshape(len(self.species), -1)
        for place, own in enumerate(of_species):
            perceptron = found.perceptron(place)
            direct, readout = own.split([len(perceptron.direct), len(perceptron.readout)])
            perceptron.direct = nn.Parameter(direct.to(perceptron.direct), requires_grad=False)
            perceptron.readout = nn.Parameter(readout.to(perceptron.readout), requires_grad=False)
        return found

    def another_head(self) -> Self:
        """The same model with a last layer of its own; all other parameters are the same objects."""
        twin = self.to()
        for place in range(len(self.species)):
            twin.perceptron(place).weights = self.perceptron(place).weights
            twin.perceptron(place).biases = self.perceptron(place).biases
        return twin

    def perceptron(self, place: int) -> Perceptron:
        """Of a species, by its place."""
        return self.perceptrons[place]  # pyright: ignore[reportReturnType] (a list of modules holds what was put in)

    def lone(self, place: int) -> Tensor:
        """What the perceptron says of an atom without neighbours, whose invariants are all zero."""
        return self.perceptron(place)(self.inputs_of(place, torch.zeros_like(self.mean[place]))[None])[0]

    def inputs_of(self, place: int, values: Tensor) -> Tensor:
        """(n, inputs): what the perceptron of a species sees of invariants (n, functions)."""
        return (values - self.mean[place]) @ self.transform[place].T

    def _last_layer(self, place: int, values: Tensor) -> Tensor:
        perceptron, lone = self.perceptron(place), self.inputs_of(place, torch.zeros_like(self.mean[place]))[None]
        seen = self.inputs_of(place, values)
        return self.scale_ev * (perceptron.last_layer(seen) - perceptron.last_layer(lone))

    def _energies(self, place: int, values: Tensor) -> Tensor:
        return self.scale_ev * (self.perceptron(place)(self.inputs_of(place, values)) - self.lone(place))


def by_species(index: Tensor, count: int) -> list[tuple[int, Tensor]]:
    """Each place that occurs, and which atoms have it."""
    places = [(place, (index == place).nonzero().squeeze(-1)) for place in range(count)]
    return [(place, of) for place, of in places if len(of)]


def stored_perceptrons(inputs: Inputs, hidden: Sequence[int]) -> list[Perceptron]:
    """One for each species, of the shape that a file says, to be filled from it."""
    return [
        Perceptron(inputs.transform.shape[1], hidden, silent=True, generator=torch.Generator()) for _ in inputs.mean
    ]

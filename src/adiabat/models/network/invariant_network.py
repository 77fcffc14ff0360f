"""A network on invariants: for each element a perceptron."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Self

import torch
from torch import Tensor, nn

from adiabat.basis.specification import BasisSpecification
from adiabat.models.ace.compiled_invariants import CompiledInvariants
from adiabat.models.ace.density import atomic_density, species_index
from adiabat.models.ace.invariants import invariants
from adiabat.models.network.last_layer import last_layer_rows
from adiabat.models.network.perceptron import Perceptron
from adiabat.models.network.tangents import Surroundings
from adiabat.system import DesignRows, Differentiated, Graph, PartState, register

BASIS, NETWORK = "basis.", "network."
"""Of the names of tensors in a file."""


@dataclass(frozen=True, eq=False)
class Inputs:
    """How invariants become what perceptrons see: x = (B - mean) Tᵀ; fixed, from the training data.

    Attributes:
        mean: (species, functions).
        transform: (species, inputs, functions) T.
    """

    mean: Tensor
    transform: Tensor


@register
class InvariantNetwork(nn.Module):
    """E_i = s (f_z(x_i) - f_z(x of an atom without neighbours)), x from the invariants of a basis, z the element of atom i.

    J. Behler, M. Parrinello, Phys. Rev. Lett. 98, 146401 (2007), equations 1 and 2, on the invariants of R. Drautz,
    Phys. Rev. B 99, 014104 (2019).

    Args:
        basis: What the invariants are.
        inputs: What the perceptrons see.
        perceptrons: f, one for each species.
        scale_ev: s.
    """

    kind: ClassVar[str] = "invariant_network"

    def __init__(
        self,
        basis: BasisSpecification,
        inputs: Inputs,
        perceptrons: Sequence[Perceptron],
        *,
        scale_ev: float,
    ) -> None:
        super().__init__()
        self.basis = basis
        self.scale_ev = scale_ev
        self.mean: Tensor
        self.transform: Tensor
        self.register_buffer("mean", inputs.mean)
        self.register_buffer("transform", inputs.transform)
        self.perceptrons = nn.ModuleList(perceptrons)

    @property
    def cutoff(self) -> float:
        """Å."""
        return self.basis.cutoff

    @property
    def interaction_range(self) -> float:
        """Å: as the cutoff."""
        return self.basis.cutoff

    @property
    def species(self) -> tuple[int, ...]:
        """Atomic numbers, ascending."""
        return self.basis.species

    @property
    def hidden(self) -> tuple[int, ...]:
        """Widths of the layers."""
        return tuple(len(bias) for bias in self.perceptron(0).biases)

    def atomic_energies(self, graph: Graph) -> Tensor:
        """(N,) eV."""
        values = self.invariants(graph)
        energies = values.new_zeros(len(values))
        for place, of in self._by_species(graph):
            energies = energies.index_put((of,), self._energies(place, values[of]))
        return energies

    def invariants(self, graph: Graph) -> Tensor:
        """(N, functions): what the inputs are made of."""
        if self.kernel.serves(graph):
            return self.kernel.values(graph)
        return invariants(atomic_density(graph, self.basis), self.basis)

    @property
    def coefficients(self) -> Tensor:
        """(species, inputs + last hidden): what the energy is linear in, the last layer's."""
        perceptrons = [self.perceptron(place) for place in range(len(self.species))]
        return torch.stack([torch.cat([one.direct, one.readout]) for one in perceptrons]).detach()

    def features(self, graph: Graph) -> Tensor:
        """(N, inputs + last hidden) eV: what the last layer weighs; zero without neighbours."""
        values = self.invariants(graph)
        found = values.new_zeros(len(values), self.coefficients.shape[1])
        for place, of in self._by_species(graph):
            found = found.index_put((of,), self._last_layer(place, values[of]))
        return found

    def design_rows(self, graph: Graph) -> DesignRows:
        """How energy, forces and virial of a graph depend on the last layer; in float64, on the processor.

        Of several structures, features and force rows are those of each; energy and virial are of their sum.
        """
        with torch.no_grad():
            return last_layer_rows(self, graph)

    def with_coefficients(self, coefficients: Tensor) -> Self:
        """The model with another last layer, (columns,)."""
        found = self.to()
        by_species = coefficients.reshape(len(self.species), -1)
        for place, own in enumerate(by_species):
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

    def _last_layer(self, place: int, values: Tensor) -> Tensor:
        perceptron, lone = self.perceptron(place), self._inputs(place, torch.zeros_like(self.mean[place]))[None]
        seen = self._inputs(place, values)
        return self.scale_ev * (perceptron.last_layer(seen) - perceptron.last_layer(lone))

    def energies_and_slopes(self, values: Tensor, numbers: Tensor) -> tuple[Tensor, Tensor]:
        """(N,) eV, and (N, functions) their derivatives by the invariants; both differentiable in the parameters.

        Args:
            values: (N, functions) the invariants.
            numbers: (N,) atomic numbers.
        """
        index = species_index(numbers, self.species)
        energies, slopes = values.new_zeros(len(values)), torch.zeros_like(values)
        for place in range(len(self.species)):
            of = (index == place).nonzero().squeeze(-1)
            if len(of):
                energy, by_input = self.perceptron(place).with_slopes(self._inputs(place, values[of]))
                energies = energies.index_put((of,), self.scale_ev * (energy - self.lone(place)))
                slopes = slopes.index_put((of,), self.scale_ev * by_input @ self.transform[place])
        return energies, slopes

    def differentiated(self, graph: Graph, *, forces: bool, virial: bool) -> Differentiated:
        """Energies, forces and virial without a second derivative of the invariants."""
        batch = graph.batch
        if not self.kernel.serves(graph):
            return self._differentiated_by_reference(graph, forces=forces, virial=virial)
        exact = graph.on(batch.to(dtype=torch.float64))
        values = self.kernel.values(exact).to(batch.positions.dtype)
        if not forces and not virial:
            return Differentiated(self.energies_and_slopes(values, batch.numbers)[0])
        energies, slopes = self.energies_and_slopes(values, batch.numbers)
        found = Surroundings(self.kernel, exact).forces_and_virial(slopes.double())
        of_forces, of_strain = (one.to(values.dtype) for one in found)
        return Differentiated(energies, of_forces if forces else None, of_strain if virial else None)

    def _differentiated_by_reference(self, graph: Graph, *, forces: bool, virial: bool) -> Differentiated:
        batch = graph.batch
        positions = batch.positions.detach().requires_grad_()
        strain = batch.cell.new_zeros(batch.cell.shape, requires_grad=True)
        with torch.enable_grad():
            values = invariants(atomic_density(graph.on(batch.strained(positions, strain)), self.basis), self.basis)
        energies, slopes = self.energies_and_slopes(values.detach(), batch.numbers)
        by_position, by_strain = torch.autograd.grad(
            values, (positions, strain), slopes, create_graph=torch.is_grad_enabled()
        )
        return Differentiated(energies, -by_position if forces else None, by_strain if virial else None)

    def perceptron(self, place: int) -> Perceptron:
        """Of a species, by its place."""
        return self.perceptrons[place]  # pyright: ignore[reportReturnType] (a list of modules holds what was put in)

    def _inputs(self, place: int, values: Tensor) -> Tensor:
        return (values - self.mean[place]) @ self.transform[place].T

    def _energies(self, place: int, values: Tensor) -> Tensor:
        return self.scale_ev * (self.perceptron(place)(self._inputs(place, values)) - self.lone(place))

    def lone(self, place: int) -> Tensor:
        """What the perceptron says of an atom without neighbours, whose invariants are all zero."""
        return self.perceptron(place)(self._inputs(place, torch.zeros_like(self.mean[place]))[None])[0]

    def _by_species(self, graph: Graph) -> list[tuple[int, Tensor]]:
        index = species_index(graph.batch.numbers, self.species)
        places = [(place, (index == place).nonzero().squeeze(-1)) for place in range(len(self.species))]
        return [(place, of) for place, of in places if len(of)]

    @cached_property
    def kernel(self) -> CompiledInvariants:
        """The compiled invariants."""
        return CompiledInvariants(self.basis)

    def to(self, *, dtype: torch.dtype | None = None, device: torch.device | str | None = None) -> Self:
        """The same model in another floating-point type or on another device."""
        inputs = Inputs(self.mean, self.transform)
        other = type(self)(
            self.basis.to(dtype=dtype, device=device),
            inputs,
            [copy.deepcopy(self.perceptron(place)) for place in range(len(self.species))],
            scale_ev=self.scale_ev,
        )
        nn.Module.to(other, dtype=dtype, device=device)
        return other

    def to_state(self) -> PartState:
        """The basis and all tensors."""
        values, tensors = self.basis.to_state()
        stored = {f"{BASIS}{name}": tensor for name, tensor in tensors.items()}
        stored |= {f"{NETWORK}{name}": tensor.detach() for name, tensor in self.state_dict().items()}
        return PartState(self.kind, {"basis": values, "hidden": list(self.hidden), "scale_ev": self.scale_ev}, stored)

    @classmethod
    def from_state(cls, state: PartState) -> Self:
        """The inverse of `to_state`."""

        def stored(prefix: str) -> dict[str, Tensor]:
            names = (name for name in state.tensors if name.startswith(prefix))
            return {name.removeprefix(prefix): state.tensors[name] for name in names}

        basis, tensors = BasisSpecification.from_state(state.values["basis"], stored(BASIS)), stored(NETWORK)
        inputs = Inputs(tensors["mean"], tensors["transform"])
        perceptrons = [
            Perceptron(inputs.transform.shape[1], state.values["hidden"], silent=True, generator=torch.Generator())
            for _ in basis.species
        ]
        found = cls(basis, inputs, perceptrons, scale_ev=state.values["scale_ev"])
        found.load_state_dict(tensors)
        return found.requires_grad_(False)

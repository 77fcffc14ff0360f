"""A network on the invariants of a basis."""

import copy
from collections.abc import Sequence
from functools import cached_property
from typing import ClassVar, Self

import torch
from torch import Tensor, nn

from adiabat.basis.specification import BasisSpecification
from adiabat.models.ace.compiled_invariants import CompiledInvariants
from adiabat.models.ace.density import atomic_density, species_index
from adiabat.models.ace.invariants import invariants
from adiabat.models.network.elements import ElementNetworks, Inputs, stored_perceptrons
from adiabat.models.network.last_layer import last_layer_rows
from adiabat.models.network.perceptron import Perceptron
from adiabat.models.network.tangents import Surroundings
from adiabat.system import DesignRows, Differentiated, Graph, PartState, register

BASIS, NETWORK = "basis.", "network."
"""Of the names of tensors in a file."""


@register
class InvariantNetwork(ElementNetworks):
    """Perceptrons on the invariants of a basis (R. Drautz, Phys. Rev. B 99, 014104 (2019)).

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
        super().__init__(basis.species, inputs, perceptrons, scale_ev=scale_ev)
        self.basis = basis

    @property
    def cutoff(self) -> float:
        """Å."""
        return self.basis.cutoff

    def invariants(self, graph: Graph) -> Tensor:
        """(N, functions): what the inputs are made of."""
        if self.kernel.serves(graph):
            return self.kernel.values(graph)
        return invariants(atomic_density(graph, self.basis), self.basis)

    def design_rows(self, graph: Graph) -> DesignRows:
        """How energy, forces and virial of a graph depend on the last layer; in float64, on the processor.

        Of several structures, features and force rows are those of each; energy and virial are of their sum.
        """
        with torch.no_grad():
            return last_layer_rows(self, graph)

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
                energy, by_input = self.perceptron(place).with_slopes(self.inputs_of(place, values[of]))
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
        perceptrons = stored_perceptrons(inputs, state.values["hidden"])
        found = cls(basis, inputs, perceptrons, scale_ev=state.values["scale_ev"])
        found.load_state_dict(tensors)
        return found.requires_grad_(False)

"""A network on atom-centred symmetry functions."""

import copy
from collections.abc import Sequence
from typing import ClassVar, Self

import torch
from torch import Tensor, nn

from adiabat.models.ace.density import species_index
from adiabat.models.messages.by_vectors import differentiated_by_vectors
from adiabat.models.messages.neighborhoods import Neighborhoods, neighborhoods
from adiabat.models.messages.readout_rows import readout_rows
from adiabat.models.network import ElementNetworks, Inputs, Perceptron
from adiabat.models.network.elements import stored_perceptrons
from adiabat.models.symmetry.functions import SymmetryFunctions
from adiabat.system import DesignRows, Differentiated, Graph, PartState, register

FUNCTIONS, NETWORK = "functions.", "network."
"""Of the names of tensors in a file."""


@register
class SymmetryNetwork(ElementNetworks):
    """Perceptrons on symmetry functions: the networks of J. Behler and M. Parrinello as they were.

    Args:
        functions: Which functions.
        inputs: What the perceptrons see.
        perceptrons: f, one for each species.
        scale_ev: s.
    """

    kind: ClassVar[str] = "symmetry_network"

    def __init__(
        self, functions: SymmetryFunctions, inputs: Inputs, perceptrons: Sequence[Perceptron], *, scale_ev: float
    ) -> None:
        super().__init__(functions.species, inputs, perceptrons, scale_ev=scale_ev)
        self.functions = functions

    @property
    def cutoff(self) -> float:
        """Å."""
        return self.functions.cutoff

    def invariants(self, graph: Graph) -> Tensor:
        """(N, functions)."""
        return self.functions.values(neighborhoods(graph, self.cutoff, self.species))

    def differentiated(self, graph: Graph, *, forces: bool, virial: bool) -> Differentiated:
        """Energies and derivatives, by the vectors of the edges; differentiable in the parameters where gradients are on."""
        atoms = neighborhoods(graph, self.cutoff, self.species)
        trained = torch.is_grad_enabled() and any(parameter.requires_grad for parameter in self.parameters())
        return differentiated_by_vectors(self._energies_in, atoms, graph, forces=forces, virial=virial, trained=trained)

    def design_rows(self, graph: Graph) -> DesignRows:
        """How energy, forces and virial of a graph depend on the last layer.

        Of several structures, features and force rows are those of each; energy and virial are of their sum.
        """
        index = species_index(graph.batch.numbers, self.species)
        groups = [(index == place).nonzero().squeeze(-1) for place in range(len(self.species))]
        return readout_rows(self._features_in, neighborhoods(graph, self.cutoff, self.species), graph, groups)

    def _energies_in(self, atoms: Neighborhoods) -> Tensor:
        return self.energies_of(self.functions.values(atoms), atoms.species)

    def _features_in(self, atoms: Neighborhoods) -> Tensor:
        return self.features_of(self.functions.values(atoms), atoms.species)

    def to(self, *, dtype: torch.dtype | None = None, device: torch.device | str | None = None) -> Self:
        """The same model in another floating-point type or on another device."""
        perceptrons = [copy.deepcopy(self.perceptron(place)) for place in range(len(self.species))]
        other = type(self)(self.functions, Inputs(self.mean, self.transform), perceptrons, scale_ev=self.scale_ev)
        nn.Module.to(other, dtype=dtype, device=device)
        return other

    def to_state(self) -> PartState:
        """Functions and all tensors."""
        values, tensors = self.functions.to_state()
        stored = {f"{FUNCTIONS}{name}": tensor for name, tensor in tensors.items()}
        stored |= {f"{NETWORK}{name}": tensor.detach() for name, tensor in self.state_dict().items()}
        shape = {"functions": values, "hidden": list(self.hidden), "scale_ev": self.scale_ev}
        return PartState(self.kind, shape, stored)

    @classmethod
    def from_state(cls, state: PartState) -> Self:
        """The inverse of `to_state`."""
        stored = {
            prefix: {n.removeprefix(prefix): t for n, t in state.tensors.items() if n.startswith(prefix)}
            for prefix in (FUNCTIONS, NETWORK)
        }
        functions = SymmetryFunctions.from_state(state.values["functions"], stored[FUNCTIONS])
        inputs = Inputs(stored[NETWORK]["mean"], stored[NETWORK]["transform"])
        perceptrons = stored_perceptrons(inputs, state.values["hidden"])
        found = cls(functions, inputs, perceptrons, scale_ev=state.values["scale_ev"])
        found.load_state_dict(stored[NETWORK])
        return found.requires_grad_(False)

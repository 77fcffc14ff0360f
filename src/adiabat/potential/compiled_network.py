"""A network on invariants, and what is added to it, by the compiled kernel in one walk."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import torch
from torch import Tensor

from adiabat.kernels.ace_network import Network, NetworkEvaluator
from adiabat.models import IsolatedAtoms, LinearACE
from adiabat.models.ace.invariant_table import basis_table
from adiabat.models.ace.walk import float_array, made_configuration, made_execution
from adiabat.models.network import InvariantNetwork
from adiabat.physics import ZBL
from adiabat.potential.compiled import (
    CompiledSum,
    kernel_serves,
    kernel_want,
    lost_atoms_refused,
    made_prediction,
    require_neighbors,
    sum_plan,
)
from adiabat.potential.compiled_committee import same_basis
from adiabat.potential.derivatives import defined_volume
from adiabat.potential.prediction import Prediction
from adiabat.system import EnergyModel, Graph
from adiabat.typing import Quantity


@dataclass(frozen=True, eq=False)
class CompiledNetwork:
    """Energies, forces and stress of a network and of a sum that the kernel knows.

    Attributes:
        model: The network.
        linear: An expansion in the same invariants, which costs nothing beside it; or None.
        repulsions: In the walk of the network: None or one.
        constants: In the walk of the network: energies of isolated atoms.
        beside: What has a walk of its own, repulsion and constants in it; or None.
    """

    model: InvariantNetwork
    linear: LinearACE | None
    repulsions: tuple[ZBL, ...]
    constants: tuple[IsolatedAtoms, ...]
    beside: CompiledSum | None

    @classmethod
    def of(cls, parts: Sequence[EnergyModel]) -> Self | None:
        """The sum of the parts; None where the kernel does not know one, or there are more networks or repulsions than one."""
        models = [part for part in parts if type(part) is InvariantNetwork]
        expansions = [part for part in parts if type(part) is LinearACE]
        repulsions = tuple(part for part in parts if type(part) is ZBL)
        constants = tuple(part for part in parts if type(part) is IsolatedAtoms)
        known = len(models) + len(expansions) + len(repulsions) + len(constants) == len(parts)
        if not known or len(models) != 1 or len(repulsions) > 1:
            return None
        if not expansions:
            return cls(models[0], None, repulsions, constants, None)
        if len(expansions) == 1 and same_basis(expansions[0].basis, models[0].basis):
            return cls(models[0], expansions[0], repulsions, constants, None)
        return cls(models[0], None, (), (), CompiledSum.of([*expansions, *repulsions, *constants]))

    def serves(self, graph: Graph) -> bool:
        """Whether the kernel can evaluate where the graph's tensors are."""
        return kernel_serves(graph)

    def predict(self, graph: Graph, want: Collection[Quantity]) -> Prediction:
        """As `derivatives.predict` of the parts' own energies; errors as of `CompiledSum.predict`."""
        batch, constants = graph.batch, self.constants if self.beside is None else self.beside.constants
        volume = defined_volume(batch) if "stress" in want else None
        with lost_atoms_refused(batch):
            configuration = made_configuration(graph, self.model.species)
            found = [self._kernel(configuration, want=kernel_want(want), execution=made_execution(graph))]
            if self.beside is not None:
                found = [*self.beside.evaluate(graph, kernel_want(want)), *found]
        require_neighbors(constants, batch, found[0].nearest_squared)
        return made_prediction(found, want, dtype=batch.positions.dtype, volume=volume)

    @cached_property
    def _kernel(self) -> NetworkEvaluator:
        model, n_species = self.model, len(self.model.species)
        linear = self.linear or LinearACE(
            model.basis, torch.zeros(n_species, model.basis.n_functions, dtype=torch.float64)
        )
        plan = sum_plan(linear, self.repulsions, self.constants, with_energy=False)
        shifts = [sum(part.energies_ev.get(number, 0.0) for part in self.constants) for number in model.species]
        networks = [_folded(model, place, linear.coefficients[place], shifts[place]) for place in range(n_species)]
        return NetworkEvaluator(plan, basis_table(model.basis), networks)


def _folded(model: InvariantNetwork, place: int, coefficients: Tensor, shift_ev: float) -> Network:
    """The network of a species, and an energy that is linear, as a function of the invariants themselves: what stands before its first layer is in it."""
    perceptron, transform = model.perceptron(place), model.transform[place].detach().double()
    first, *others = (weight.detach().double() for weight in perceptron.weights)
    biases = [bias.detach().double() for bias in perceptron.biases]
    biases[0] = biases[0] - first @ transform @ model.mean[place].double()
    direct = model.scale_ev * perceptron.direct.detach().double() @ transform
    # The part of the energy that is linear in the invariants vanishes with them.
    lone = (
        model.mean[place].double() @ transform.T @ perceptron.direct.detach().double()
        + model.lone(place).detach().double()
    )
    return Network(
        weights=tuple(float_array(weight) for weight in (first @ transform, *others)),
        biases=tuple(float_array(bias) for bias in biases),
        linear=float_array(coefficients.detach().double() + direct),
        readout=float_array(model.scale_ev * perceptron.readout),
        shift=shift_ev - model.scale_ev * float(lone),
    )

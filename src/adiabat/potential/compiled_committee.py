"""Several potentials that differ in the coefficients of one expansion alone, by the compiled kernel in one walk."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
import torch
from torch import Tensor

from adiabat.basis.specification import BasisSpecification
from adiabat.kernels.ace_committee import CommitteeEvaluator
from adiabat.models import IsolatedAtoms, LinearACE
from adiabat.models.ace.invariant_table import basis_table
from adiabat.models.ace.walk import made_configuration, made_execution
from adiabat.physics import ZBL
from adiabat.potential.compiled import (
    kernel_serves,
    kernel_want,
    lost_atoms_refused,
    made_prediction,
    require_neighbors,
    sum_plan,
)
from adiabat.potential.derivatives import defined_volume
from adiabat.potential.prediction import Prediction
from adiabat.system import EnergyModel, Graph
from adiabat.typing import Quantity


@dataclass(frozen=True, eq=False)
class SharedTerms:
    """One expansion, and what is added to it.

    Attributes:
        model: The expansion.
        repulsions: None or one.
        constants: Energies of isolated atoms.
    """

    model: LinearACE
    repulsions: tuple[ZBL, ...]
    constants: tuple[IsolatedAtoms, ...]

    @classmethod
    def of(cls, parts: Sequence[EnergyModel]) -> Self | None:
        """The terms among the parts; None where there is another one, or there are more expansions or repulsions than one."""
        models = [part for part in parts if type(part) is LinearACE]
        repulsions = tuple(part for part in parts if type(part) is ZBL)
        constants = tuple(part for part in parts if type(part) is IsolatedAtoms)
        known = len(models) + len(repulsions) + len(constants) == len(parts)
        if not known or len(models) != 1 or len(repulsions) > 1:
            return None
        return cls(models[0], repulsions, constants)

    def shares_with(self, other: "SharedTerms") -> bool:
        """Whether the two differ in coefficients at most."""
        same = (self.repulsions, self.constants) == (other.repulsions, other.constants)
        return same and same_basis(self.model.basis, other.model.basis)


@dataclass(frozen=True, eq=False)
class CompiledCommittee:
    """Energies, forces and stress of all members; the first members' cost is shared by the others.

    Attributes:
        terms: Of the first member.
        coefficients: (members, species, functions) eV.
    """

    terms: SharedTerms
    coefficients: Tensor

    @classmethod
    def of(cls, members: Sequence[Sequence[EnergyModel]]) -> Self | None:
        """From the parts of each member; None where the kernel does not know one, or they differ in more than coefficients."""
        terms = [SharedTerms.of(parts) for parts in members]
        known = [one for one in terms if one is not None]
        if not known or len(known) < len(terms) or not all(known[0].shares_with(one) for one in known[1:]):
            return None
        return cls(known[0], torch.stack([one.model.coefficients.detach().cpu().double() for one in known]))

    def serves(self, graph: Graph) -> bool:
        """Whether the kernel can evaluate where the graph's tensors are."""
        return kernel_serves(graph)

    def each(self, graph: Graph, want: Collection[Quantity]) -> tuple[Prediction, ...]:
        """What each member says; errors as of `CompiledSum.predict`."""
        batch = graph.batch
        volume = defined_volume(batch) if "stress" in want else None
        with lost_atoms_refused(batch):
            configuration = made_configuration(graph, self.terms.model.species)
            found = self._kernel.each(configuration, want=kernel_want(want), execution=made_execution(graph))
        require_neighbors(self.terms.constants, batch, found.nearest_squared)
        dtype = batch.positions.dtype
        members = range(len(self.coefficients))
        return tuple(made_prediction([found.member(m)], want, dtype=dtype, volume=volume) for m in members)

    def first(self, graph: Graph, want: Collection[Quantity]) -> tuple[Prediction, Tensor]:
        """What the first member says, and by how much the atomic energies of the others differ from its own.

        Errors as of `CompiledSum.predict`.

        Returns:
            The prediction, and (N, members - 1) eV, see `CompiledProjection.predict`.
        """
        return self._differences.predict(graph, want)

    @cached_property
    def _kernel(self) -> CommitteeEvaluator:
        terms = self.terms
        plan = sum_plan(terms.model, terms.repulsions, terms.constants, with_energy=False)
        return CommitteeEvaluator(plan, basis_table(terms.model.basis), _by_species(self.coefficients))

    @cached_property
    def _differences(self) -> "CompiledProjection":
        own = replace(self.terms.model, coefficients=self.coefficients[0])
        return CompiledProjection(replace(self.terms, model=own), self.coefficients[1:] - self.coefficients[0])


@dataclass(frozen=True, eq=False)
class CompiledProjection:
    """A potential, and beside it what directions in the space of its coefficients make of each atom's invariants.

    Attributes:
        terms: Of the potential.
        directions: (directions, species, functions), one or more; eV where values are to be.
    """

    terms: SharedTerms
    directions: Tensor

    @classmethod
    def of(cls, parts: Sequence[EnergyModel], directions: Tensor) -> Self | None:
        """From the parts of a potential; None where the kernel does not know one, or there are more expansions than one."""
        terms = SharedTerms.of(parts)
        return None if terms is None else cls(terms, directions.detach().cpu().double())

    def serves(self, graph: Graph) -> bool:
        """Whether the kernel can evaluate where the graph's tensors are."""
        return kernel_serves(graph)

    def predict(self, graph: Graph, want: Collection[Quantity]) -> tuple[Prediction, Tensor]:
        """What the potential says, and the values beside it; errors as of `CompiledSum.predict`.

        Returns:
            The prediction, and (N, directions) in float64, computed in single precision: their error is some millionth of the
            sum of the magnitudes of what they are summed from.
        """
        batch = graph.batch
        volume = defined_volume(batch) if "stress" in want else None
        with lost_atoms_refused(batch):
            configuration = made_configuration(graph, self.terms.model.species)
            found, values = self._kernel.beside(configuration, want=kernel_want(want), execution=made_execution(graph))
        require_neighbors(self.terms.constants, batch, found.nearest_squared)
        prediction = made_prediction([found], want, dtype=batch.positions.dtype, volume=volume)
        return prediction, torch.from_numpy(values)

    @cached_property
    def _kernel(self) -> CommitteeEvaluator:
        terms = self.terms
        plan = sum_plan(terms.model, terms.repulsions, terms.constants)
        return CommitteeEvaluator(plan, basis_table(terms.model.basis), _by_species(self.directions))


def _by_species(coefficients: Tensor) -> list[np.ndarray]:
    """(functions, members) for each species."""
    return list(coefficients.double().permute(1, 2, 0).numpy())


def same_basis(one: BasisSpecification, other: BasisSpecification) -> bool:
    """Whether two bases hold the same functions in the same order."""
    if one is other:
        return True
    (values, tensors), (other_values, other_tensors) = one.to_state(), other.to_state()
    return (
        values == other_values
        and tensors.keys() == other_tensors.keys()
        and all(torch.equal(tensor, other_tensors[name]) for name, tensor in tensors.items())
    )

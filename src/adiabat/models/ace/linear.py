"""The linear atomic cluster expansion: an atom's energy is a sum of invariants, with coefficients of its species.

R. Drautz, Phys. Rev. B 99, 014104 (2019); G. Dusson et al., J. Comput. Phys. 454, 110946 (2022).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Self

import torch
from torch import Tensor

from adiabat.basis.specification import BasisSpecification
from adiabat.models.ace.compiled_invariants import CompiledInvariants
from adiabat.models.ace.compiled_rows import CompiledRowBuilder
from adiabat.models.ace.density import atomic_density, species_index
from adiabat.models.ace.invariants import coupling_matrix, invariants, product_values
from adiabat.models.ace.rows import RowBuilder
from adiabat.system import DesignRows, Graph, PartState, register


@register
@dataclass(frozen=True, eq=False)
class LinearACE:
    """E_i = Σ_k c_{z_i,k} B_ik.

    Attributes:
        basis: What the invariants B are.
        coefficients: (species, functions) eV.
    """

    basis: BasisSpecification
    coefficients: Tensor
    kind: ClassVar[str] = "linear_ace"

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

    def atomic_energies(self, graph: Graph) -> Tensor:
        """(N,) eV."""
        density = atomic_density(graph, self.basis)
        index = species_index(graph.batch.numbers, self.species)
        energies = density.new_zeros(len(density))
        for products in self.basis.products:
            # (T, species): the coefficients of the products themselves, so that the invariants need not be formed.
            coupling = coupling_matrix(products, self.basis.n_functions, density)
            weights = torch.sparse.mm(coupling.T, self.coefficients.to(density).T)
            energies = energies + (product_values(density, products) * weights.T[index]).sum(-1)
        return energies

    def features(self, graph: Graph) -> Tensor:
        """(N, functions): the invariants."""
        if self._compiled_invariants.serves(graph):
            return self._compiled_invariants.values(graph)
        return invariants(atomic_density(graph, self.basis), self.basis)

    def design_rows(self, graph: Graph) -> DesignRows:
        """How energy, forces and virial of a graph with one structure depend on the (flattened) coefficients.

        Of several structures, features and force rows are those of each; energy and virial are of their sum.
        """
        if self._compiled_row_builder.serves(graph):
            return self._compiled_row_builder(graph)
        return RowBuilder(self.basis)(graph)

    def with_coefficients(self, coefficients: Tensor) -> Self:
        """The model with others (columns,)."""
        return type(self)(self.basis, coefficients.reshape(self.coefficients.shape).to(self.coefficients))

    @cached_property
    def _compiled_invariants(self) -> CompiledInvariants:
        return CompiledInvariants(self.basis)

    @cached_property
    def _compiled_row_builder(self) -> CompiledRowBuilder:
        return CompiledRowBuilder(self.basis)

    def to(self, *, dtype: torch.dtype | None = None, device: torch.device | str | None = None) -> Self:
        """The same model in another floating-point type or on another device."""
        return type(self)(self.basis.to(dtype=dtype, device=device), self.coefficients.to(dtype=dtype, device=device))

    def to_state(self) -> PartState:
        """The basis and the coefficients."""
        values, tensors = self.basis.to_state()
        return PartState(self.kind, values, {**tensors, "coefficients": self.coefficients})

    @classmethod
    def from_state(cls, state: PartState) -> Self:
        """The inverse of `to_state`."""
        return cls(BasisSpecification.from_state(state.values, state.tensors), state.tensors["coefficients"])

"""Design rows by the compiled kernel: what `rows.RowBuilder` defines, many times faster."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from adiabat.basis.specification import BasisSpecification
from adiabat.kernels.ace_rows import RowBuilder
from adiabat.models.ace.functions import functions_of
from adiabat.models.ace.plan import Layout, component_rows, expansion_plan, used_components
from adiabat.models.ace.walk import made_configuration
from adiabat.system import DesignRows, Graph

VOIGT_TO_FULL = torch.tensor([[0, 5, 4], [5, 1, 3], [4, 3, 2]])


@dataclass(frozen=True, eq=False)
class CompiledRowBuilder:
    """Exact rows of a structure, in float64, on the processor.

    Attributes:
        basis: What the invariants are.
    """

    basis: BasisSpecification

    def serves(self, graph: Graph) -> bool:
        """Whether the kernel can evaluate where the graph's tensors are."""
        return graph.batch.positions.device.type == "cpu" and graph.batch.positions.dtype == torch.float64

    def __call__(self, graph: Graph) -> DesignRows:
        """The rows of a graph with one structure; of several, energy and virial are those of their sum."""
        configuration = made_configuration(graph, self.basis.species)
        found = self._kernel(configuration)
        species = torch.from_numpy(configuration.species).long()
        features = torch.from_numpy(found.features)
        virial = torch.from_numpy(found.virial).T[VOIGT_TO_FULL]
        return DesignRows(features, self._energy(features, species), torch.from_numpy(found.forces), virial)

    def _energy(self, features: Tensor, species: Tensor) -> Tensor:
        return features.new_zeros(len(self.basis.species), features.shape[1]).index_add(0, species, features).flatten()

    @cached_property
    def _kernel(self) -> RowBuilder:
        basis, layout = self.basis, Layout.of(self.basis)
        functions = functions_of(basis, component_rows(basis, layout, used_components(basis)))
        return RowBuilder(expansion_plan(basis, layout), functions)

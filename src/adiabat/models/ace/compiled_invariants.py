"""Invariants by the compiled kernel, and forces of any energy that is computed from them."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from adiabat.basis.specification import BasisSpecification
from adiabat.kernels.ace import Evaluation, Want
from adiabat.kernels.ace_invariants import InvariantEvaluator
from adiabat.models.ace.invariant_table import basis_table
from adiabat.models.ace.plan import Layout, expansion_plan
from adiabat.models.ace.walk import float_array, made_configuration, made_execution
from adiabat.system import Graph


@dataclass(frozen=True, eq=False)
class CompiledInvariants:
    """What `invariants.invariants` defines, many times faster, on the processor.

    Any readout E_i = F(B_i) can stand between: `values` gives B, and `forces` takes ∂F/∂B. Both walk over the edges.

    Attributes:
        basis: What the invariants are.
    """

    basis: BasisSpecification

    def serves(self, graph: Graph) -> bool:
        """Whether the kernel can evaluate where the graph's tensors are, and nobody wants to differentiate what it finds."""
        positions, cell = graph.batch.positions, graph.batch.cell
        differentiated = torch.is_grad_enabled() and (positions.requires_grad or cell.requires_grad)
        displaced = graph.displacement is not None
        here = positions.device.type == "cpu" and positions.dtype in (torch.float64, torch.float32)
        return here and not differentiated and not displaced

    def values(self, graph: Graph) -> Tensor:
        """(N, functions), in the floating-point type of the positions."""
        found = self._kernel.forward(made_configuration(graph, self.basis.species), execution=made_execution(graph))
        return torch.from_numpy(found.invariants).to(graph.batch.positions.dtype)

    def forces(self, graph: Graph, by_invariant: Tensor, want: Want) -> Evaluation:
        """Forces and virials, in float64; the energies are zeros.

        Args:
            graph: Edges at least as long as the cutoff.
            by_invariant: (N, functions) eV: derivatives of each atom's energy by its invariants.
            want: Forces are always computed.

        Raises:
            ValueError: A position or a derivative that is not finite; another number of atoms or functions.
        """
        return self._kernel.backward(
            made_configuration(graph, self.basis.species),
            float_array(by_invariant),
            want=want,
            execution=made_execution(graph),
        )

    @cached_property
    def _kernel(self) -> InvariantEvaluator:
        return InvariantEvaluator(expansion_plan(self.basis, Layout.of(self.basis)), basis_table(self.basis))

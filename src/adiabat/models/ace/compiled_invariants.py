"""Invariants by the compiled kernel, and forces of any energy that is computed from them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from adiabat.basis.specification import BasisSpecification
from adiabat.kernels.ace import Evaluation, SparseRows, Want
from adiabat.kernels.ace_invariants import InvariantEvaluator, InvariantTable
from adiabat.models.ace.factors import Term, factorize
from adiabat.models.ace.plan import Layout, component_rows, expansion_plan, used_components
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
        basis, layout = self.basis, Layout.of(self.basis)
        table = _table(basis, component_rows(basis, layout, used_components(basis)))
        return InvariantEvaluator(expansion_plan(basis, layout), table)


def _table(basis: BasisSpecification, components: SparseRows) -> InvariantTable:
    """Each product as two values: a row of the factorization of two factors becomes a node."""
    used = used_components(basis)
    couplings: dict[Term, list[tuple[int, float]]] = {}
    for products in basis.products:
        terms = [tuple(row) for row in np.sort(np.searchsorted(used, products.index), axis=1).tolist()]
        for function, product, value in zip(
            products.function.tolist(), products.product.tolist(), products.value.tolist(), strict=True
        ):
            couplings.setdefault(terms[product], []).append((function, value))
    factors = factorize(list(couplings), len(used))
    nodes = list(factors.nodes)
    value_of_row = []
    for row in factors.rows:
        if len(row) == 2:
            nodes.append((row[0], row[1]))
        value_of_row.append(len(used) + len(nodes) - 1 if len(row) == 2 else row[0])
    one = len(used) + len(nodes)
    left, right = np.array(nodes, dtype=np.int32).reshape(-1, 2).T
    return InvariantTable(
        functions=basis.n_functions,
        components=components,
        left=np.ascontiguousarray(left),
        right=np.ascontiguousarray(right),
        first=np.array([value_of_row[row] for row, _ in factors.place], dtype=np.int32),
        second=np.array([one if entry is None else entry for _, entry in factors.place], dtype=np.int32),
        coupling=SparseRows.of(list(couplings.values())),
    )

"""Invariants by the compiled kernel, and forces of any energy that is computed from them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from adiabat.basis.specification import BasisSpecification
from adiabat.kernels.ace import EdgeList, Evaluation, Execution, Indices, Plan, Program, SparseRows, Want
from adiabat.kernels.ace_invariants import InvariantEvaluator, InvariantTable
from adiabat.models.ace.density import species_index
from adiabat.models.ace.factors import Term, factorize
from adiabat.models.ace.plan import Layout, component_rows, made_edge_list, switches, used_components
from adiabat.runs import allowed_threads
from adiabat.system import Graph
from adiabat.typing import FloatArray


@dataclass(frozen=True, eq=False)
class CompiledInvariants:
    """What `invariants.invariants` defines, many times faster, on the processor.

    Any readout E_i = F(B_i) can stand between: `values` gives B, and `forces` takes ∂F/∂B. Both walk over the edges.

    Attributes:
        basis: What the invariants are.
    """

    basis: BasisSpecification

    def values(self, graph: Graph) -> Tensor:
        """(N, functions), in the floating-point type of the positions."""
        found = self._kernel.forward(*self._arguments(graph), execution=_execution(graph))
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
            *self._arguments(graph), _array(by_invariant), want=want, execution=_execution(graph)
        )

    def _arguments(self, graph: Graph) -> tuple[EdgeList, FloatArray, FloatArray, Indices]:
        batch = graph.batch
        species = species_index(batch.numbers, self.basis.species).numpy().astype(np.int32)
        return made_edge_list(graph), _array(batch.positions), _array(batch.cell), species

    @cached_property
    def _kernel(self) -> InvariantEvaluator:
        basis, layout = self.basis, Layout.of(self.basis)
        count = len(basis.species)
        plan = Plan(
            cutoff=basis.cutoff,
            reach=basis.cutoff,
            l_max=layout.l_max,
            segments=layout.segments,
            pairs=np.concatenate([switches(basis), np.zeros((count**2, 7))], axis=1),
            programs=(Program.empty(),) * count,
        )
        return InvariantEvaluator(plan, _table(basis, component_rows(basis, layout, used_components(basis))))


def _execution(graph: Graph) -> Execution:
    return Execution(single=graph.batch.positions.dtype == torch.float32, threads=allowed_threads())


def _array(tensor: Tensor) -> FloatArray:
    return np.ascontiguousarray(tensor.detach().double().numpy())


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

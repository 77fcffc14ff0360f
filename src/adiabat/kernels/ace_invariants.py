"""The compiled invariants of the cluster expansion, and forces of any function of them; arrays in, arrays out."""

from dataclasses import dataclass, replace

import numpy as np

from adiabat.kernels import _core
from adiabat.kernels.ace import (
    CommitteeEvaluation,
    Configuration,
    Evaluation,
    Execution,
    Indices,
    Plan,
    SparseRows,
    Want,
    chosen_instruction_set,
    plan_builder,
)
from adiabat.typing import FloatArray


@dataclass(frozen=True, eq=False)
class InvariantTable:
    """B_f = Σ_products coupling · V[first] · V[second].

    V holds the components, then the nodes, then a 1.

    Attributes:
        functions: How many there are.
        components: Rows over the densities of all species of neighbours.
        left: (nodes,) into V: a node is the product of two values before it.
        right: (nodes,).
        first: (products,).
        second: (products,).
        coupling: For each product the functions that hold it.
    """

    functions: int
    components: SparseRows
    left: Indices
    right: Indices
    first: Indices
    second: Indices
    coupling: SparseRows


@dataclass(frozen=True, eq=False)
class Invariants:
    """What the walk forwards finds.

    Attributes:
        invariants: (N, functions).
        repulsion: (N,) eV: of the plan's repulsion.
        nearest_squared: (N,) Å², as of `Evaluation`.
    """

    invariants: FloatArray
    repulsion: FloatArray
    nearest_squared: FloatArray


class InvariantEvaluator:
    """Forwards to the invariants, backwards from the derivatives by them; it may be used from several threads.

    Args:
        plan: Its programs say only how many species there are.
        table: What the invariants are.
    """

    def __init__(self, plan: Plan, table: InvariantTable) -> None:
        t = table
        self._functions = t.functions
        self._core = _core.InvariantEvaluator(
            plan_builder(plan),
            t.functions,
            *(t.components.start, t.components.index, t.components.weight),
            *(t.left, t.right, t.first, t.second),
            *(t.coupling.start, t.coupling.index, t.coupling.weight),
        )

    def forward(self, configuration: Configuration, *, execution: Execution) -> Invariants:
        """The invariants; arguments and errors as of `kernels.ace.Evaluator`."""
        c = configuration
        sums = CommitteeEvaluation.empty(c.edges, 1, Want())
        found = Invariants(np.empty((c.edges.atoms, self._functions)), sums.energies[:, 0], sums.nearest_squared)
        self._core.forward(
            *(c.edges, c.positions, c.cells, c.species),
            *(found.invariants, sums.energies, sums.nearest_squared, sums.energy),
            single=execution.single,
            threads=execution.threads,
            instruction_set=chosen_instruction_set(execution),
        )
        return found

    def backward(
        self, configuration: Configuration, by_invariant: FloatArray, *, want: Want, execution: Execution
    ) -> Evaluation:
        """Forces, and virials where wanted, of the repulsion and of energies that depend on the invariants.

        Args:
            configuration: As of `kernels.ace.Evaluator`.
            by_invariant: (N, functions) eV: the derivative of each atom's energy by its invariants.
            want: Forces are always computed.
            execution: How to compute.

        Returns:
            Its energies are those of the repulsion.

        Raises:
            ValueError: As there; a derivative that is not finite.
            TypeError: Another type or layout.
        """
        c = configuration
        found = CommitteeEvaluation.empty(c.edges, 1, replace(want, forces=True))
        self._core.backward(
            *(c.edges, c.positions, c.cells, c.species, by_invariant, *found.outputs()),
            single=execution.single,
            threads=execution.threads,
            instruction_set=chosen_instruction_set(execution),
        )
        return found.member(0)

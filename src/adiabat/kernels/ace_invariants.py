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
class Products:
    """Rows of products of two values: entries start[k] ... start[k+1]-1 of row k are weight · V[first] · V[second]."""

    start: Indices
    first: Indices
    second: Indices
    weight: FloatArray


@dataclass(frozen=True, eq=False)
class InvariantTable:
    """The invariants B_f and their derivatives by the components A_u.

    V holds the components, a 1, the sums, and the local sums of one stage. ∂B_f/∂A_u = weight · V[place] for the pairs of
    u, zero for all others; they are found stage by stage.

    Attributes:
        components: Rows over the densities of all species of neighbours.
        sums: Of values before them.
        value_sums: So many of the first sums are all that the invariants themselves need.
        invariants: (functions,) rows, of components, the 1, and these sums.
        local: Rows of components, the 1, and the sums.
        stage_local: (stages + 1,): the local sums of each stage; they take the place of those of the stage before.
        stage_component: (stages + 1,) into `component`.
        component: (components,), by stage.
        pair_start: (components + 1,): the pairs of each of `component`.
        pair_function: (pairs,).
        pair_place: (pairs,) into V.
        pair_weight: (pairs,).
    """

    components: SparseRows
    sums: Products
    value_sums: int
    invariants: Products
    local: Products
    stage_local: Indices
    stage_component: Indices
    component: Indices
    pair_start: Indices
    pair_function: Indices
    pair_place: Indices
    pair_weight: FloatArray

    @property
    def functions(self) -> int:
        """How many invariants there are."""
        return len(self.invariants.start) - 1


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
        self._functions = table.functions
        self._core = _core.InvariantEvaluator(plan_builder(plan), compiled_table(table))

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


def compiled_table(table: InvariantTable) -> _core.InvariantTable:
    """The table as the compiled classes take it."""
    sums, invariants, local = (
        _core.Products(rows.start, rows.first, rows.second, rows.weight)
        for rows in (table.sums, table.invariants, table.local)
    )
    return _core.InvariantTable(
        *(table.components.start, table.components.index, table.components.weight),
        *(sums, table.value_sums, invariants, local, table.stage_local, table.stage_component, table.component),
        *(table.pair_start, table.pair_function, table.pair_place, table.pair_weight),
    )

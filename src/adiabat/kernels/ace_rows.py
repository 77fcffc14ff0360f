"""The compiled rows of the design matrix of the cluster expansion; arrays in, arrays out."""

from dataclasses import dataclass

import numpy as np

from adiabat.kernels import _core
from adiabat.kernels.ace import (
    Configuration,
    Execution,
    Indices,
    Plan,
    SparseRows,
    chosen_instruction_set,
    plan_builder,
)
from adiabat.typing import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Functions:
    """Invariant functions as their derivatives by the components that they depend on.

    ∂B_f/∂A_u = Σ_terms weight · Π of the other factors, for each pair (f, u).

    Attributes:
        components: Rows over the densities of all species of neighbours.
        pair_start: (functions + 1,): the pairs of each function.
        pair_component: (pairs,).
        term_start: (pairs + 1,): the terms of each pair.
        term_weight: (terms,).
        term_factor: (terms, most factors - 1), flattened: components; their number stands for a factor of 1.
        factors: (functions,): how many factors a function has.
    """

    components: SparseRows
    pair_start: IntArray
    pair_component: Indices
    term_start: IntArray
    term_weight: FloatArray
    term_factor: Indices
    factors: Indices


@dataclass(frozen=True, eq=False)
class Rows:
    """What each function gives; columns are (species, functions), flattened.

    Attributes:
        features: (N, functions).
        forces: (3 N, columns).
        virial: (columns, 6), xx yy zz yz xz xy of Σ_edges r ⊗ ∂B/∂r.
    """

    features: FloatArray
    forces: FloatArray
    virial: FloatArray


class RowBuilder:
    """Builds rows; it may be used from several threads at once.

    Args:
        plan: Its programs say only how many species there are.
        functions: What the rows are of.
    """

    def __init__(self, plan: Plan, functions: Functions) -> None:
        f = functions
        self._columns = len(plan.programs) * len(f.factors)
        self._functions = len(f.factors)
        self._core = _core.RowBuilder(
            plan_builder(plan),
            *(f.components.start, f.components.index, f.components.weight),
            *(f.pair_start, f.pair_component, f.term_start, f.term_weight, f.term_factor, f.factors),
        )

    def __call__(self, configuration: Configuration) -> Rows:
        """The rows of all atoms; errors as of `kernels.ace.Evaluator`."""
        c, atoms = configuration, len(configuration.species)
        found = Rows(
            features=np.empty((atoms, self._functions)),
            forces=np.empty((3 * atoms, self._columns)),
            virial=np.empty((self._columns, 6)),
        )
        self._core.rows(
            *(c.edges, c.positions, c.cells, c.species, found.features, found.forces, found.virial),
            instruction_set=chosen_instruction_set(Execution()),
        )
        return found

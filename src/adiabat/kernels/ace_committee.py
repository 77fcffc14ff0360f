"""Several energies of the same compiled invariants; arrays in, arrays out."""

from collections.abc import Sequence

import numpy as np

from adiabat.kernels import _core
from adiabat.kernels.ace import (
    CommitteeEvaluation,
    Configuration,
    Evaluation,
    Execution,
    Plan,
    Want,
    chosen_instruction_set,
    plan_builder,
)
from adiabat.kernels.ace_invariants import InvariantTable, compiled_table
from adiabat.typing import FloatArray


class CommitteeEvaluator:
    """Energies that differ in their coefficients alone; it may be used from several threads.

    Args:
        plan: Its repulsion and shifts are in every member; its programs are an energy of their own.
        table: What the invariants are.
        coefficients: (functions, members) eV, for each species.

    Raises:
        ValueError: A number of members, of species or of functions that does not fit; a coefficient that is not finite.
    """

    def __init__(self, plan: Plan, table: InvariantTable, coefficients: Sequence[FloatArray]) -> None:
        self._members = coefficients[0].shape[1]
        flat = [np.ascontiguousarray(of_species).ravel() for of_species in coefficients]
        self._core = _core.CommitteeEvaluator(plan_builder(plan), compiled_table(table), self._members, flat)

    def each(self, configuration: Configuration, *, want: Want, execution: Execution) -> CommitteeEvaluation:
        """All members, without the energy of the plan's programs; arguments and errors as of `kernels.ace.Evaluator`."""
        c = configuration
        found = CommitteeEvaluation.empty(c.edges, self._members, want)
        self._core.each(
            *(c.edges, c.positions, c.cells, c.species, *found.outputs()),
            single=execution.single,
            threads=execution.threads,
            instruction_set=chosen_instruction_set(execution),
        )
        return found

    def beside(
        self, configuration: Configuration, *, want: Want, execution: Execution
    ) -> tuple[Evaluation, FloatArray]:
        """The plan's own energy, and (N, members) eV beside it: the sums of coefficients and invariants alone.

        The latter are computed in single precision, whatever the energy is in; they are meant for differences of energies.
        Arguments and errors as of `kernels.ace.Evaluator`.
        """
        c = configuration
        found, values = CommitteeEvaluation.empty(c.edges, 1, want), np.empty((c.edges.atoms, self._members))
        self._core.beside(
            *(c.edges, c.positions, c.cells, c.species, values, *found.outputs()),
            single=execution.single,
            threads=execution.threads,
            instruction_set=chosen_instruction_set(execution),
        )
        return found.member(0), values

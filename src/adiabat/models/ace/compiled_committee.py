"""Several coefficient vectors of one basis by the compiled kernel: they share the walk up to the products."""

from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from adiabat.basis.specification import BasisSpecification
from adiabat.kernels.ace import CommitteeEvaluation, Evaluator, Want
from adiabat.models.ace.plan import Layout, committee_programs, expansion_plan
from adiabat.models.ace.walk import made_configuration, made_execution
from adiabat.system import Graph


@dataclass(frozen=True, eq=False)
class CompiledCommittee:
    """What `LinearACE(basis, c)` is for each member c of `coefficients`, on the processor.

    Attributes:
        basis: What the invariants are.
        coefficients: (members, species, functions) eV.
    """

    basis: BasisSpecification
    coefficients: Tensor

    def evaluate(self, graph: Graph, want: Want) -> CommitteeEvaluation:
        """Energies, and forces and virials where wanted, of all members; in float64.

        Args:
            graph: Edges at least as long as the cutoff; in float32 the walk is, too.
            want: What to compute.

        Raises:
            ValueError: A position that is not finite.
        """
        configuration = made_configuration(graph, self.basis.species)
        return self._kernel.committee(configuration, want=want, execution=made_execution(graph))

    @cached_property
    def _kernel(self) -> Evaluator:
        layout = Layout.of(self.basis)
        programs = committee_programs(self.basis, self.coefficients, layout)
        return Evaluator(expansion_plan(self.basis, layout, programs, members=len(self.coefficients)))

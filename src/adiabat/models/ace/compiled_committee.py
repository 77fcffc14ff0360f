"""Several coefficient vectors of one basis by the compiled kernel: they share the walk, the invariants and their derivatives."""

from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from adiabat.basis.specification import BasisSpecification
from adiabat.kernels.ace import CommitteeEvaluation, Want
from adiabat.kernels.ace_committee import CommitteeEvaluator
from adiabat.models.ace.function_table import function_table
from adiabat.models.ace.plan import Layout, component_rows, expansion_plan, used_components
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
        return self._kernel.each(configuration, want=want, execution=made_execution(graph))

    @cached_property
    def _kernel(self) -> CommitteeEvaluator:
        layout = Layout.of(self.basis)
        table = function_table(self.basis, component_rows(self.basis, layout, used_components(self.basis)))
        coefficients = self.coefficients.double().permute(1, 2, 0).numpy()
        return CommitteeEvaluator(expansion_plan(self.basis, layout), table, list(coefficients))

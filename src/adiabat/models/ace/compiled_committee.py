"""Several coefficient vectors of one basis by the compiled kernel: they share the walk up to the products."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from adiabat.basis.specification import BasisSpecification
from adiabat.kernels.ace import CommitteeEvaluation, Evaluator, Execution, Plan, Want
from adiabat.models.ace.density import species_index
from adiabat.models.ace.plan import Layout, committee_programs, made_edge_list, switches
from adiabat.runs import allowed_threads
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
        batch = graph.batch
        return self._kernel.committee(
            made_edge_list(graph),
            np.ascontiguousarray(batch.positions.detach().double().numpy()),
            np.ascontiguousarray(batch.cell.detach().double().numpy()),
            species_index(batch.numbers, self.basis.species).numpy().astype(np.int32),
            want=want,
            execution=Execution(single=batch.positions.dtype == torch.float32, threads=allowed_threads()),
        )

    @cached_property
    def _kernel(self) -> Evaluator:
        basis, layout = self.basis, Layout.of(self.basis)
        plan = Plan(
            cutoff=basis.cutoff,
            reach=basis.cutoff,
            l_max=layout.l_max,
            segments=layout.segments,
            pairs=np.concatenate([switches(basis), np.zeros((len(basis.species) ** 2, 7))], axis=1),
            programs=committee_programs(basis, self.coefficients, layout),
            members=len(self.coefficients),
        )
        return Evaluator(plan)

"""Forces of any readout of compiled invariants, differentiable in the readout.

Forces are F = -Σ_i g_i · ∂B_i/∂x with g the derivatives of the atomic energies by the invariants. What a loss needs of the
readout's parameters is its derivative by g: for v = ∂L/∂F and V = ∂L/∂W that is the change of the invariants B_i when
atoms are displaced by -v and all is strained by V, one number for each invariant of each atom. Two walks forwards give it as
a central difference.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from adiabat.kernels.ace import Want
from adiabat.models.ace.compiled_invariants import CompiledInvariants
from adiabat.system import Graph

STEP = 1e-5
"""Å: by how much the most displaced edge changes. Radial functions wiggle over 0.3 Å and more, so that the difference is wrong
by some 1e-9 of its largest value; rounding of the invariants adds 1e-11 of theirs."""


@dataclass(frozen=True, eq=False)
class Surroundings:
    """Where invariants are taken, in float64.

    Attributes:
        kernel: What computes them.
        graph: Edges at least as long as the cutoff.
    """

    kernel: CompiledInvariants
    graph: Graph

    def forces_and_virial(self, by_invariant: Tensor) -> tuple[Tensor, Tensor]:
        """(N, 3) eV/Å and (S, 3, 3) eV, from (N, functions) eV; differentiable in these."""
        return _Forces.apply(by_invariant, self)

    def change(self, displacement: Tensor, strain: Tensor) -> Tensor:
        """(N, functions) dB/dh, atoms displaced by h · displacement (N, 3) and all strained by h · strain (S, 3, 3), symmetric."""
        batch, cutoff = self.graph.batch, self.kernel.basis.cutoff
        largest = max(2 * float(displacement.norm(dim=-1).max()), cutoff * float(strain.abs().amax()))
        if largest == 0:
            return displacement.new_zeros(batch.n_atoms, self.kernel.basis.n_functions)
        step = STEP / largest
        by_strain = torch.einsum("na,nab->nb", batch.positions, strain[batch.system])
        found = []
        for h in (step, -step):
            moved = batch.replace(
                positions=batch.positions + h * (displacement + by_strain), cell=batch.cell + h * batch.cell @ strain
            )
            found.append(self.kernel.values(self.graph.on(moved)))
        return (found[0] - found[1]).div_(2 * step)


class _Forces(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, by_invariant: Tensor, surroundings: Surroundings) -> tuple[Tensor, Tensor]:
        ctx.surroundings = surroundings
        found = surroundings.kernel.forces(surroundings.graph, by_invariant, Want(virial=True))
        return torch.from_numpy(found.forces), torch.from_numpy(found.virial)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        by_forces, by_virial = gradients
        symmetric = 0.5 * (by_virial + by_virial.transpose(1, 2))
        return ctx.surroundings.change(-by_forces, symmetric), None

"""Rows of a last layer by automatic differentiation: what energies, forces and virials are linear in, all that comes before it fixed."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from adiabat.models.messages.neighborhoods import Neighborhoods, summed_forces, summed_virials
from adiabat.system import DesignRows, Graph


def readout_rows(
    features_of: Callable[[Neighborhoods], Tensor],
    atoms: Neighborhoods,
    graph: Graph,
    groups: Sequence[Tensor],
) -> DesignRows:
    """One pass forwards, and one backwards for each column: some hundred times the cost of forces.

    Args:
        features_of: What the last layer weighs, (N, K), of neighbourhoods.
        atoms: The neighbourhoods.
        graph: Whose they are.
        groups: Numbers of the atoms that have coefficients of their own, one group after the other in the columns.
    """
    vectors = atoms.vectors.detach().requires_grad_()
    with torch.enable_grad():
        features = features_of(replace(atoms, vectors=vectors))
        energy = torch.stack([features[of].sum(0) for of in groups]).flatten()
    forces = features.new_empty(3 * len(features), len(energy))
    virial = features.new_empty(3, 3, len(energy))
    for column in range(len(energy)):
        (slopes,) = torch.autograd.grad(energy[column], vectors, retain_graph=True)
        forces[:, column] = summed_forces(slopes, atoms.neighbor).flatten()
        virial[:, :, column] = summed_virials(slopes, atoms.vectors, graph.batch).sum(0)
    return DesignRows(features.detach(), energy.detach(), forces, virial)

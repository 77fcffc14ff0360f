"""Rows of a readout: what energies, forces and virials of message passing are linear in, all that comes before it fixed."""

from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from adiabat.models.messages.neighborhoods import neighborhoods, summed_forces, summed_virials
from adiabat.system import DesignRows, Graph

if TYPE_CHECKING:
    from adiabat.models.messages.model import MessagePassing


def readout_rows(model: "MessagePassing", graph: Graph) -> DesignRows:
    """One pass forwards, and one backwards for each column: some hundred times the cost of forces.

    Args:
        model: Its parameters are not differentiated by.
        graph: Edges at least as long as the cutoff.
    """
    atoms = neighborhoods(graph, model.cutoff, model.species)
    vectors = atoms.vectors.detach().requires_grad_()
    with torch.enable_grad():
        features = model.features_of(replace(atoms, vectors=vectors))
        energy = features.sum(0)
    forces = features.new_empty(3 * len(features), len(energy))
    virial = features.new_empty(3, 3, len(energy))
    for column in range(len(energy)):
        (slopes,) = torch.autograd.grad(energy[column], vectors, retain_graph=True)
        forces[:, column] = summed_forces(slopes, atoms.neighbor).flatten()
        virial[:, :, column] = summed_virials(slopes, atoms.vectors, graph.batch).sum(0)
    return DesignRows(features.detach(), energy.detach(), forces, virial)

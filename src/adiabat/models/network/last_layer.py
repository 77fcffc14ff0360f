"""Rows of a network's last layer: what energies, forces and virials are linear in, the layers before it fixed."""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from adiabat.kernels.ace import Want
from adiabat.models.ace.density import species_index
from adiabat.models.ace.linear import LinearACE
from adiabat.system import DesignRows, Graph

if TYPE_CHECKING:
    from adiabat.models.network.invariant_network import InvariantNetwork


def last_layer_rows(model: "InvariantNetwork", graph: Graph) -> DesignRows:
    """Of inputs by the rows of the invariants, which they are linear in; of hidden units by one walk for each of them.

    Args:
        model: In float64, on the processor.
        graph: Edges at least as long as the cutoff.
    """
    basis, n_species = model.basis, len(model.species)
    invariants = LinearACE(basis, model.mean.new_zeros(n_species, basis.n_functions)).design_rows(graph)
    index = species_index(graph.batch.numbers, model.species)
    features = model.features(graph)
    energy = features.new_zeros(n_species, features.shape[1]).index_add(0, index, features)
    of_inputs = (_of_inputs(model, rows) for rows in (invariants.forces, invariants.virial))
    of_hidden = _of_hidden(model, graph, invariants.features, index)
    forces, virial = (torch.cat(pair, dim=-1).flatten(-2) for pair in zip(of_inputs, of_hidden, strict=True))
    return DesignRows(features, energy.flatten(), forces, virial)


def _of_inputs(model: "InvariantNetwork", rows: Tensor) -> Tensor:
    """(..., species, inputs), of rows of the invariants (..., columns)."""
    by_species = rows.unflatten(-1, (len(model.species), -1))
    return model.scale_ev * torch.einsum("...sf,sif->...si", by_species, model.transform)


def _of_hidden(model: "InvariantNetwork", graph: Graph, values: Tensor, index: Tensor) -> tuple[Tensor, Tensor]:
    """(3 N, species, hidden) of the forces, (3, 3, species, hidden) of the virial."""
    n_species, width, batch = len(model.species), model.hidden[-1], graph.batch
    forces = values.new_zeros(3 * batch.n_atoms, n_species, width)
    virial = values.new_zeros(3, 3, n_species, width)
    for place in index.unique().tolist():
        of = (index == place).nonzero().squeeze(-1)
        inputs = (values[of] - model.mean[place]) @ model.transform[place].T
        slopes = model.scale_ev * model.perceptron(place).last_hidden_slopes(inputs)
        for unit in range(width):
            by_invariant = torch.zeros_like(values)
            by_invariant[of] = slopes[:, unit] @ model.transform[place]
            found = model.kernel.forces(graph, by_invariant, Want(forces=True, virial=True))
            forces[:, place, unit] = torch.from_numpy(found.forces).flatten()
            virial[:, :, place, unit] = torch.from_numpy(found.virial).sum(0)
    return forces, virial

"""The scales of a model's inner quantities, measured on structures that it is to learn, so that training starts with numbers of order one."""

import torch
from torch import Tensor

from adiabat.models.messages.layer import Heard
from adiabat.models.messages.model import MessagePassing
from adiabat.models.messages.neighborhoods import neighborhoods
from adiabat.system import Graph

SMALLEST = 1e-3
"""What hardly varies among the structures is not blown up beyond a thousandfold."""


def standardized(
    model: MessagePassing, graph: Graph, *, energy_scale_ev: float = 1.0, binding_ev: Tensor | None = None
) -> MessagePassing:
    """The model with densities and invariants of order one on the atoms of a graph, layer by layer.

    Args:
        model: Fresh, or trained on something else; it stays as it is.
        graph: Some of the structures, a hundred atoms or more.
        energy_scale_ev: What the networks' readings are counted in.
        binding_ev: (species,) mean energies of bound atoms; None: zeros.
    """
    model = model.to()
    atoms = neighborhoods(graph, model.cutoff, model.species)
    with torch.no_grad():
        model.get_buffer("energy_scale").fill_(energy_scale_ev)
        if binding_ev is not None:
            model.get_buffer("binding").copy_(binding_ev)
        around, radial = model.surroundings(atoms.vectors, atoms.species, atoms.species[atoms.neighbor])
        state = None
        for layer, functions in zip(model.each_layer(), radial.split(model.widths, dim=-1), strict=True):
            heard = Heard.of(state, atoms.neighbor)
            density = layer.density(around, functions, heard)
            squares = density.square().mean((1, 2))
            mean_square = torch.stack([degree.mean() for degree in squares.split(layer.components)])
            layer.get_buffer("density_scale").copy_(mean_square.clamp(min=SMALLEST**2).rsqrt())
            invariants, _ = layer.products(layer.scaled(density, around.species))
            flat = invariants.transpose(0, 1).flatten(1)
            layer.get_buffer("mean").copy_(flat.mean(0))
            layer.get_buffer("deviation").copy_(flat.std(0).clamp(min=SMALLEST))
            state = layer(around, functions, heard)
    return model

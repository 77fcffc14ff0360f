"""What losses are made of: energies, forces and virials that can be differentiated by a model's parameters."""

import torch

from adiabat.system import Differentiated, DifferentiatingModel, Graph, TrainableModel


def differentiated(model: TrainableModel, graph: Graph, *, forces: bool, virial: bool) -> Differentiated:
    """Energies and derivatives by a model's own way, or by differentiating its atomic energies.

    Within `torch.no_grad()`, and where no parameter requires a gradient, nothing is kept for a second derivative.
    """
    if isinstance(model, DifferentiatingModel):
        return model.differentiated(graph, forces=forces, virial=virial)
    if not forces and not virial:
        return Differentiated(model.atomic_energies(graph))
    trained = torch.is_grad_enabled() and any(parameter.requires_grad for _, parameter in model.named_parameters())
    batch = graph.batch
    positions = batch.positions.detach().requires_grad_()
    strain = batch.cell.new_zeros(batch.cell.shape, requires_grad=True)
    with torch.enable_grad():
        energies = model.atomic_energies(graph.on(batch.strained(positions, strain)))
        by_position, by_strain = torch.autograd.grad(
            energies.sum(), (positions, strain), create_graph=trained, allow_unused=True, materialize_grads=True
        )
    return Differentiated(
        energies if trained else energies.detach(),
        -by_position if forces else None,
        by_strain if virial else None,
    )

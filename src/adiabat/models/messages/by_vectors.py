"""Derivatives of energies by the vectors of the edges."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from adiabat.models.messages.neighborhoods import Neighborhoods, summed_forces, summed_virials
from adiabat.system import Differentiated, Graph


def differentiated_by_vectors(
    energies_of: Callable[[Neighborhoods], Tensor],
    atoms: Neighborhoods,
    graph: Graph,
    *,
    forces: bool,
    virial: bool,
    trained: bool,
) -> Differentiated:
    """Energies (N,) eV, forces (N, 3) eV/Å and virials (S, 3, 3) eV.

    Args:
        energies_of: (N,) eV of neighbourhoods.
        atoms: The neighbourhoods.
        graph: Whose they are; nobody differentiates by its positions and cell.
        forces: Whether they are wanted.
        virial: Likewise.
        trained: Whether what is found is to be differentiated by parameters.
    """
    if not forces and not virial:
        return Differentiated(energies_of(atoms))
    vectors = atoms.vectors.detach().requires_grad_()
    with torch.enable_grad():
        energies = energies_of(replace(atoms, vectors=vectors))
        (slopes,) = torch.autograd.grad(energies.sum(), vectors, create_graph=trained)
    return Differentiated(
        energies if trained else energies.detach(),
        summed_forces(slopes, atoms.neighbor) if forces else None,
        summed_virials(slopes, atoms.vectors, graph.batch) if virial else None,
    )

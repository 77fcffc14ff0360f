"""Derivatives of the energy, written once for every model."""

from collections.abc import Callable, Collection
from dataclasses import replace

import torch
from torch import Tensor

from adiabat.errors import PropertyUnavailable
from adiabat.potential.prediction import Prediction
from adiabat.system import Batch, Graph
from adiabat.typing import Quantity

AtomicEnergies = Callable[[Graph], Tensor]


def predict(atomic_energies: AtomicEnergies, graph: Graph, want: Collection[Quantity]) -> Prediction:
    """Energies and their derivatives: forces -∂E/∂x, stress (1/V) ∂E/∂ε, atomic virials from the derivatives by the edges.

    The strain ε is symmetrised and acts on positions and cell alike: x -> x (1 + ε).

    Args:
        atomic_energies: Graph to (N,) eV.
        graph: Structures and edges.
        want: What to compute.

    Raises:
        PropertyUnavailable: A stress was asked for of a structure that is not periodic in three directions; atomic virials
            of energies that do not depend on edges alone.
    """
    volume = defined_volume(graph.batch) if "stress" in want else None
    if not {"forces", "stress", "atomic_virials"} & set(want):
        with torch.no_grad():
            return _collect(atomic_energies(graph), graph.batch, want)
    energies, forces, by_strain, by_edge = _differentiated(
        atomic_energies, graph, strain=volume is not None, edges="atomic_virials" in want
    )
    return replace(
        _collect(energies, graph.batch, want),
        forces=forces if "forces" in want else None,
        stress=None if volume is None or by_strain is None else by_strain / volume[:, None, None],
        atomic_virials=None if by_edge is None else _atomic_virials(graph, by_edge, forces),
    )


def _differentiated(
    atomic_energies: AtomicEnergies, graph: Graph, *, strain: bool, edges: bool
) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
    """Energies, forces and, where wanted, the derivatives by the strain and those by the edges."""
    batch = graph.batch
    positions = batch.positions.detach().requires_grad_()
    strains = batch.cell.new_zeros(batch.cell.shape, requires_grad=True) if strain else None
    displacement = positions.new_zeros(graph.n_edges, 3, requires_grad=True) if edges else None
    leaves = [leaf for leaf in (positions, strains, displacement) if leaf is not None]
    with torch.enable_grad():
        moved = batch.replace(positions=positions) if strains is None else batch.strained(positions, strains)
        energies = atomic_energies(replace(graph.on(moved), displacement=displacement))
        if energies.requires_grad:
            found = torch.autograd.grad(energies.sum(), leaves, allow_unused=True, materialize_grads=True)
        else:  # no edges: constants only
            found = tuple(torch.zeros_like(leaf) for leaf in leaves)
    return energies.detach(), -found[0], found[1] if strain else None, found[-1] if edges else None


def _atomic_virials(graph: Graph, by_edge: Tensor, forces: Tensor) -> Tensor:
    """(N, 3, 3) eV, where the edges account for the forces."""
    zeros = torch.zeros_like(forces)
    from_edges = zeros.index_add(0, graph.center, by_edge) - zeros.index_add(0, graph.neighbor, by_edge)
    allowed = torch.finfo(forces.dtype).eps ** 0.6 * (float(forces.abs().max()) + 1.0)
    if not float((from_edges - forces).abs().max()) <= allowed:
        raise PropertyUnavailable(
            "atomic virials were asked for of energies that are not functions of the graph's edge vectors",
            rule="an atom's virial is a sum over edges",
            mend="let the model compute from graph.vectors()",
        )
    back = -graph.vectors()  # r_ij of the atom i where the edge ends, to the centre j
    each = back[:, :, None] * by_edge[:, None, :]
    return forces.new_zeros(len(forces), 3, 3).index_add(0, graph.neighbor, each)


def _collect(energies: Tensor, batch: Batch, want: Collection[Quantity]) -> Prediction:
    return Prediction(
        energy=batch.sum_over_atoms(energies) if "energy" in want else None,
        energies=energies if "energies" in want else None,
    )


def defined_volume(batch: Batch) -> Tensor:
    """(S,) Å³: what stresses are divided by.

    Raises:
        PropertyUnavailable: Naming the first structure without three periodic directions and a volume: it has no stress.
    """
    volume = batch.volume.detach()
    if volume.dtype != torch.float64:
        volume = torch.linalg.det(batch.cell.detach().double()).abs()
    defined = (batch.pbc.cpu().numpy().all(-1)) & (volume.cpu().numpy() > 0)
    if not defined.all():
        system = int(defined.argmin())
        raise PropertyUnavailable(
            f"structure {system} has no stress: it is periodic along {batch.pbc[system].tolist()}",
            rule="stress is defined with three periodic directions and a volume",
            mend="ask for energy and forces only, or give the structure a periodic cell",
        )
    return volume if volume.dtype == batch.cell.dtype else volume.to(batch.cell)

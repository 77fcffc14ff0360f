"""Derivatives of the energy, written once for every model."""

from collections.abc import Callable, Collection

import numpy as np
import torch
from torch import Tensor

from adiabat.errors import PropertyUnavailable
from adiabat.potential.prediction import Prediction
from adiabat.system import Batch, Graph
from adiabat.typing import Quantity

AtomicEnergies = Callable[[Graph], Tensor]


def predict(atomic_energies: AtomicEnergies, graph: Graph, want: Collection[Quantity]) -> Prediction:
    """Energies and their derivatives: forces -∂E/∂x, stress (1/V) ∂E/∂ε.

    The strain ε is symmetrised and acts on positions and cell alike: x -> x (1 + ε).

    Args:
        atomic_energies: Graph to (N,) eV.
        graph: Structures and edges.
        want: What to compute.

    Raises:
        PropertyUnavailable: A stress was asked for of a structure that is not periodic in three directions.
    """
    volume = defined_volume(graph.batch) if "stress" in want else None
    if not {"forces", "stress"} & set(want):
        with torch.no_grad():
            return _collect(atomic_energies(graph), graph.batch, want, forces=None, stress=None)
    batch = graph.batch
    positions = batch.positions.detach().requires_grad_()
    strain = batch.cell.new_zeros(batch.cell.shape, requires_grad=True)
    with torch.enable_grad():
        energies = atomic_energies(graph.on(_strained(batch, positions, strain)))
        if energies.requires_grad:
            by_position, by_strain = torch.autograd.grad(
                energies.sum(), (positions, strain), allow_unused=True, materialize_grads=True
            )
        else:  # no edges: constants only
            by_position, by_strain = torch.zeros_like(positions), torch.zeros_like(strain)
    stress = None if volume is None else by_strain / volume[:, None, None]
    return _collect(energies.detach(), batch, want, forces=-by_position, stress=stress)


def _strained(batch: Batch, positions: Tensor, strain: Tensor) -> Batch:
    symmetric = 0.5 * (strain + strain.transpose(1, 2))
    return batch.replace(
        positions=positions + torch.einsum("na,nab->nb", positions, symmetric[batch.system]),
        cell=batch.cell + batch.cell @ symmetric,
    )


def _collect(
    energies: Tensor, batch: Batch, want: Collection[Quantity], *, forces: Tensor | None, stress: Tensor | None
) -> Prediction:
    return Prediction(
        energy=batch.sum_over_atoms(energies) if "energy" in want else None,
        energies=energies if "energies" in want else None,
        forces=forces if "forces" in want else None,
        stress=stress,
    )


def defined_volume(batch: Batch) -> Tensor:
    """(S,) Å³: what stresses are divided by.

    Raises:
        PropertyUnavailable: Naming the first structure without three periodic directions and a volume: it has no stress.
    """
    volume = np.abs(np.linalg.det(batch.cell.detach().cpu().double().numpy()))
    defined = batch.pbc.cpu().numpy().all(-1) & (volume > 0)
    if not defined.all():
        system = int(defined.argmin())
        raise PropertyUnavailable(
            f"structure {system} has no stress: it is periodic along {batch.pbc[system].tolist()}",
            rule="stress is defined with three periodic directions and a volume",
            mend="ask for energy and forces only, or give the structure a periodic cell",
        )
    return torch.from_numpy(volume).to(batch.cell)

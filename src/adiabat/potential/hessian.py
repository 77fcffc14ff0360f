"""Second derivatives of the energy: exact, by differentiating the reference twice; and along a direction, by compiled forces."""

from typing import cast

import numpy as np
import torch
from ase import Atoms
from torch import Tensor

from adiabat.errors import PropertyUnavailable
from adiabat.neighbors import neighbor_graph
from adiabat.potential.potential import Potential
from adiabat.system import Batch
from adiabat.typing import FloatArray

STEP_ANGSTROM = 1e-3
"""Of the farthest moved atom, either way, for products with a direction; the error is of the second order in it."""


def hessian(atoms: Atoms, potential: Potential) -> FloatArray:
    """(3N, 3N) eV/Å², exact: the derivatives of the energy by the positions, every periodic image of an atom moving with it.

    Args:
        atoms: A structure. Time and memory grow with N² times the neighbours of an atom.
        potential: Made of parts that can be differentiated twice.

    Raises:
        PropertyUnavailable: A part cannot be.
        StructureError: As of the potential.
    """
    batch = Batch.from_atoms(atoms, dtype=potential.dtype, device=potential.device)
    graph = neighbor_graph(batch, potential.cutoff)
    positions = batch.positions.detach().requires_grad_()
    with torch.enable_grad():
        energy = potential.atomic_energies(graph.on(batch.replace(positions=positions))).sum()
        [gradient] = torch.autograd.grad(energy, [positions], create_graph=True)
        if not gradient.requires_grad and bool(gradient.any()):
            raise _refusal()
        try:
            rows = [_row(component, positions) for component in gradient.flatten()]
        except RuntimeError as error:
            raise _refusal() from error
    return torch.stack(rows).double().cpu().numpy()


def _row(component: Tensor, positions: Tensor) -> Tensor:
    if not component.requires_grad:  # atoms without neighbours
        return torch.zeros_like(positions).flatten()
    [row] = torch.autograd.grad(component, [positions], retain_graph=True, allow_unused=True, materialize_grads=True)
    return row.flatten()


def _refusal() -> PropertyUnavailable:
    return PropertyUnavailable(
        "a part of the potential cannot be differentiated twice",
        place="hessian",
        rule="exact second derivatives are those of a differentiable reference",
        mend="take them by finite differences of forces: hessian_product, or adiabat.properties.force_constants",
    )


def hessian_product(atoms: Atoms, potential: Potential, directions: FloatArray) -> FloatArray:
    """(n, N, 3) eV/Å²: the Hessian times directions, by central differences of forces, all in one evaluation.

    Args:
        atoms: A structure.
        potential: Any.
        directions: (n, N, 3), of any length but zero.
    """
    lengths = np.linalg.norm(directions, axis=2).max(1)[:, None, None]
    steps = STEP_ANGSTROM * directions / lengths
    structures = []
    for step in (*steps, *-steps):
        moved = atoms.copy()
        moved.set_positions(atoms.positions + step, apply_constraint=False)
        structures.append(moved)
    forces = cast(Tensor, potential(structures, want=("forces",)).forces).double().cpu().numpy()
    forwards, backwards = forces.reshape(2, len(steps), *atoms.positions.shape)
    return (backwards - forwards) / (2 * STEP_ANGSTROM) * lengths

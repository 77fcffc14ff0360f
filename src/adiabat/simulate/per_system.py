"""Arithmetic of what each structure of a batch has one of, applied to its atoms.

Values per structure are few: they are NumPy arrays here, which cost less than tensors do as long as they are small.
"""

import torch
from torch import Tensor

from adiabat.system import Batch
from adiabat.typing import FloatArray


def per_atom(batch: Batch, values: FloatArray) -> Tensor:
    """(N,) or () of values (S,) or (1,): each atom's structure's, or the one of all."""
    if len(values) == 1:
        return torch.tensor(values[0], dtype=batch.positions.dtype)
    return torch.from_numpy(values)[batch.system]


def scaled(batch: Batch, vectors: Tensor, factors: FloatArray) -> Tensor:
    """(N, 3): each structure's vectors times its factor."""
    factor = per_atom(batch, factors)
    return vectors * (factor if factor.dim() == 0 else factor[:, None])


def scaled_about(batch: Batch, vectors: Tensor, factors: FloatArray, centers: Tensor) -> Tensor:
    """(N, 3) c + f (v - c), with a factor and a centre (S, 3) for each structure."""
    constant = torch.from_numpy(1 - factors)[:, None] * centers
    return scaled(batch, vectors, factors) + (constant if len(constant) == 1 else constant[batch.system])


def transformed(batch: Batch, vectors: Tensor, matrices: FloatArray) -> Tensor:
    """(N, 3) v·F: each structure's vectors, as rows, times its matrix; matrices are (S, 3, 3), or (S, 1, 1) for multiples of one."""
    if matrices.shape[-1] == 1:
        return scaled(batch, vectors, matrices[:, 0, 0])
    own = torch.from_numpy(matrices)
    if len(matrices) == 1:
        return vectors @ own[0]
    return torch.einsum("na,nab->nb", vectors, own[batch.system])


def deformed_cell(cell: Tensor, matrices: FloatArray) -> Tensor:
    """(S, 3, 3) cell·F; matrices as in `transformed`."""
    found = cell.numpy() * matrices if matrices.shape[-1] == 1 else cell.numpy() @ matrices
    return torch.from_numpy(found)

"""Arithmetic of what each structure of a batch has one of.

Values per structure are few: they are NumPy arrays here, which cost less than tensors do as long as they are small.
"""

import torch
from torch import Tensor

from adiabat.kernels import motion
from adiabat.system import Batch
from adiabat.typing import FloatArray, IntArray


def per_atom(batch: Batch, values: FloatArray) -> Tensor:
    """(N,) or () of values (S,) or (1,): each atom's structure's, or the one of all."""
    if len(values) == 1:
        return torch.tensor(values[0], dtype=batch.positions.dtype)
    return torch.from_numpy(values)[batch.system]


def transformed(start: IntArray, vectors: Tensor, matrices: FloatArray, centers: FloatArray | None = None) -> Tensor:
    """(N, 3) c + (v - c)·F: each structure's vectors, as rows, times its matrix about its centre (S, 3), the origin where none is given.

    Matrices are (S, 3, 3), or (S, 1, 1) or (S,) for multiples of the unit matrix.
    """
    return torch.from_numpy(motion.transformed(start, vectors.numpy(), matrices, centers))


def deformed_cell(cell: Tensor, matrices: FloatArray) -> Tensor:
    """(S, 3, 3) cell·F; matrices as in `transformed`."""
    found = cell.numpy() * matrices if matrices.shape[-1] == 1 else cell.numpy() @ matrices
    return torch.from_numpy(found)

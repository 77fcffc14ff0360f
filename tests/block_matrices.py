"""Matrices by pairs of species, and the same written out in full."""

import numpy as np
import torch

from adiabat.training.block_matrix import BlockMatrix
from adiabat.training.regression import PriorPrecision
from adiabat.typing import FloatArray


def in_full(matrix: BlockMatrix, n_species: int) -> FloatArray:
    """(columns, columns)."""
    found = np.zeros((n_species * matrix.width,) * 2)
    for rows, columns, block in matrix.lower():
        found[rows, columns] = block.numpy()
    return np.asarray(np.tril(found) + np.tril(found, -1).T)


def in_blocks(matrix: FloatArray, width: int) -> BlockMatrix:
    """The inverse of `in_full`."""
    places = range(len(matrix) // width)
    pieces = [slice(place * width, (place + 1) * width) for place in places]
    blocks = {(a, b): torch.from_numpy(matrix[pieces[a], pieces[b]].copy()) for a in places for b in places if b <= a}
    return BlockMatrix(width, blocks)


def precision_in_full(precision: PriorPrecision) -> FloatArray:
    """(columns, columns)."""
    n_species = len(precision.diagonal) // precision.matrix.width
    return precision.factor * in_full(precision.matrix, n_species) + np.diag(precision.diagonal)

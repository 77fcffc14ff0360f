"""Which structures make a step: by their atoms, in an order that depends on seed and epoch alone."""

from collections.abc import Iterator, Sequence

import numpy as np


def by_atoms(order: Sequence[int], atoms: Sequence[int], most: int) -> Iterator[list[int]]:
    """Structures in this order, together while they have at most so many atoms; a larger one stands alone.

    Args:
        order: Which structures, and in what order.
        atoms: Of every structure.
        most: Atoms of a batch.
    """
    batch, count = list[int](), 0
    for index in order:
        if batch and count + atoms[index] > most:
            yield batch
            batch, count = [], 0
        batch.append(index)
        count += atoms[index]
    if batch:
        yield batch


def batches_of_epoch(atoms: Sequence[int], most: int, *, seed: int, epoch: int) -> list[list[int]]:
    """All structures, in an order drawn for this epoch.

    Nothing is carried from one epoch to the next: whoever goes on in the middle of an epoch finds the same batches.
    """
    order = np.random.default_rng((seed, epoch)).permutation(len(atoms)).tolist()
    return list(by_atoms(order, atoms, most))

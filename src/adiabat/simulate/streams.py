"""Random numbers that are keyed, not drawn in turn: by seed, replica, purpose and step."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor

from adiabat.errors import ConfigurationError
from adiabat.system import Batch
from adiabat.typing import FloatArray

Purpose: TypeAlias = Literal[
    "velocities",
    "thermostat",
    "rescaling",
    "rescaling rest",
    "barostat",
    "chains",
    "exchange",
    "vibrations",
    "acceptance",
]
PURPOSES: dict[Purpose, int] = {
    "velocities": 0,
    "thermostat": 1,
    "rescaling": 2,
    "rescaling rest": 3,
    "barostat": 4,
    "chains": 5,
    "exchange": 6,
    "vibrations": 7,
    "acceptance": 8,
}
SEEDS = 2**64

STEPS_AT_ONCE = 8
"""Making a generator costs as much as some thousand numbers: small structures draw those of several steps at once."""
FEW_NUMBERS = 600
"""For one structure and step: with more, each step has a generator of its own."""


@dataclass(frozen=True)
class Streams:
    """Random numbers for a batch, the same however often a run was resumed and whatever it was batched with.

    A counter-based generator (Philox4x64; Salmon et al., Proc. SC11, 2011, doi:10.1145/2063384.2063405) with the key
    (seed, replica) starts at the counter (0, 0, purpose, step), or, for few numbers, at that of the first of eight steps: no
    state is carried from one step to the next. NumPy may change how it makes numbers of the bits, so the same bits are
    promised for the same NumPy only.

    Attributes:
        seed: 0 or more, below 2⁶⁴.
        replicas: One number per structure of the batch, which stays with the structure wherever it is batched.
    """

    seed: int
    replicas: tuple[int, ...]

    def __post_init__(self) -> None:
        if not 0 <= self.seed < SEEDS:
            raise ConfigurationError(
                f"the seed {self.seed}", rule="a seed is 0 or more, below 2^64", mend="give another one"
            )

    @classmethod
    def of(cls, batch: Batch, seed: int, replicas: Sequence[int] | None = None) -> "Streams":
        """The streams of a batch; its structures are replicas 0, 1, 2 ... where no numbers are given."""
        return cls(seed, tuple(range(batch.n_systems) if replicas is None else replicas))

    def normal(self, batch: Batch, purpose: Purpose, *, step: int) -> Tensor:
        """(N, 3) independent standard normal numbers for one step. Not to be changed in place."""
        sizes = tuple((3 * batch.counts).tolist())
        return torch.from_numpy(self._normal(sizes, purpose, step).reshape(-1, 3)).to(batch.positions)

    def normal_per_system(self, columns: int, purpose: Purpose, *, step: int) -> FloatArray:
        """(S, columns) independent standard normal numbers for one step."""
        sizes = (columns,) * len(self.replicas)
        return self._normal(sizes, purpose, step).reshape(-1, columns)

    def uniform_per_system(self, columns: int, purpose: Purpose, *, step: int) -> FloatArray:
        """(S, columns) independent numbers, equally likely in [0, 1), for one step."""
        drawn = [_generator(self.seed, replica, PURPOSES[purpose], step).random(columns) for replica in self.replicas]
        return np.stack(drawn)

    def chi_squared(self, degrees: Sequence[int], purpose: Purpose, *, step: int) -> FloatArray:
        """(S,) numbers distributed as the sum of so many squared standard normal ones, for one step."""
        block, row = divmod(step, STEPS_AT_ONCE)
        return _chi_squared_block(self.seed, self.replicas, tuple(degrees), PURPOSES[purpose], block)[row]

    def _normal(self, sizes: tuple[int, ...], purpose: Purpose, step: int) -> FloatArray:
        if max(sizes) <= FEW_NUMBERS:
            block, row = divmod(step, STEPS_AT_ONCE)
            return _normal_block(self.seed, self.replicas, sizes, PURPOSES[purpose], block)[row]
        draw = _normal_each(self.seed, PURPOSES[purpose], step)
        return np.concatenate([draw(replica, size) for replica, size in zip(self.replicas, sizes, strict=True)])


def _normal_each(seed: int, purpose: int, step: int) -> Callable[[int, int], FloatArray]:
    def draw(replica: int, size: int) -> FloatArray:
        if size > FEW_NUMBERS:
            return _generator(seed, replica, purpose, step).standard_normal(size)
        block, row = divmod(step, STEPS_AT_ONCE)
        return _normal_block(seed, (replica,), (size,), purpose, block)[row]

    return draw


@lru_cache(maxsize=4)
def _normal_block(seed: int, replicas: tuple[int, ...], sizes: tuple[int, ...], purpose: int, block: int) -> FloatArray:
    """(STEPS_AT_ONCE, Σ sizes)."""
    bounds = np.cumsum([0, *sizes])
    found = np.empty((STEPS_AT_ONCE, bounds[-1]))
    for replica, (start, stop) in zip(replicas, pairwise(bounds), strict=True):
        drawn = _generator(seed, replica, purpose, block).standard_normal((STEPS_AT_ONCE, stop - start))
        found[:, start:stop] = drawn
    return found


@lru_cache(maxsize=4)
def _chi_squared_block(
    seed: int, replicas: tuple[int, ...], degrees: tuple[int, ...], purpose: int, block: int
) -> FloatArray:
    """(STEPS_AT_ONCE, S)."""
    drawn = [
        2 * _generator(seed, replica, purpose, block).standard_gamma(0.5 * degree, STEPS_AT_ONCE)
        for replica, degree in zip(replicas, degrees, strict=True)
    ]
    return np.stack(drawn, axis=1)


def _generator(seed: int, replica: int, purpose: int, step: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=(seed, replica), counter=(0, 0, purpose, step)))

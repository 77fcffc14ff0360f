"""Random numbers that are keyed, not drawn in turn: by seed, replica, purpose and step."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from adiabat.errors import ConfigurationError
from adiabat.kernels.motion import chi_squared, normal
from adiabat.system import Batch
from adiabat.typing import FloatArray, IntArray

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


@dataclass(frozen=True)
class Streams:
    """Random numbers for a batch, the same however often a run was resumed and whatever it was batched with.

    A counter-based generator (Philox4x64; Salmon et al., Proc. SC11, 2011, doi:10.1145/2063384.2063405) with the key
    (seed, replica) counts (atom, numbers of this atom, purpose, step): no state is carried from one step to the next, and an atom's
    numbers do not depend on how many others there are.

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

    def normal(self, start: IntArray, purpose: Purpose, *, step: int) -> FloatArray:
        """(N, 3) independent standard normal numbers for one step, of atoms that stand as `Batch.start` says."""
        return normal(self.seed, self._keys, purpose=PURPOSES[purpose], step=step, start=start)

    def normal_per_system(self, columns: int, purpose: Purpose, *, step: int) -> FloatArray:
        """(S, columns) independent standard normal numbers for one step."""
        rows = -(-columns // 3)
        drawn = self.normal(rows * np.arange(len(self.replicas) + 1), purpose, step=step)
        return drawn.reshape(len(self.replicas), -1)[:, :columns]

    def uniform_per_system(self, columns: int, purpose: Purpose, *, step: int) -> FloatArray:
        """(S, columns) independent numbers, equally likely in (0, 1), for one step."""
        return ndtr(self.normal_per_system(columns, purpose, step=step))

    def chi_squared(self, degrees: IntArray, purpose: Purpose, *, step: int) -> FloatArray:
        """(S,) numbers distributed as the sum of so many squared standard normal ones, for one step."""
        return chi_squared(self.seed, self._keys, purpose=PURPOSES[purpose], step=step, degrees=degrees)

    @cached_property
    def _keys(self) -> NDArray[np.uint64]:
        """(S,)."""
        return np.array(self.replicas, dtype=np.uint64)

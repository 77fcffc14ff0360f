"""Random numbers that are keyed, not drawn in turn: by seed, replica, purpose and step."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from adiabat.errors import ConfigurationError
from adiabat.system import Batch

PURPOSES = {"velocities": 0, "thermostat": 1}
SEEDS = 2**64


@dataclass(frozen=True)
class Streams:
    """Normal random numbers for a batch, the same however often a run was resumed and whatever it was batched with.

    A counter-based generator (Philox4x64; Salmon et al., Proc. SC11, 2011, doi:10.1145/2063384.2063405) with the key
    (seed, replica) starts at the counter (0, 0, purpose, step): no state is carried from one step to the next.
    NumPy may change how it makes normal numbers of the bits, so the same bits are promised for the same NumPy only.

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

    def normal(self, batch: Batch, purpose: Literal["velocities", "thermostat"], *, step: int) -> Tensor:
        """(N, 3) independent standard normal numbers for one step."""
        counter = (0, 0, PURPOSES[purpose], step)
        counts = batch.counts.tolist()
        drawn = [
            np.random.Generator(np.random.Philox(key=(self.seed, replica), counter=counter)).standard_normal((count, 3))
            for replica, count in zip(self.replicas, counts, strict=True)
        ]
        return torch.from_numpy(drawn[0] if len(drawn) == 1 else np.concatenate(drawn)).to(batch.positions)

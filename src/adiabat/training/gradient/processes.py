"""Several processes that train one model: each computes a part of every batch, and all take the same steps."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import Tensor

from adiabat.errors import ConfigurationError

PATIENCE = timedelta(minutes=30)
"""That processes wait for each other: what is made ready before a descent takes them differently long."""
STARTED = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
"""What torchrun tells each process."""


@dataclass(frozen=True)
class Processes:
    """Those of a run, as one of them sees it. They hold the same data and settings; only the first one writes.

    Attributes:
        rank: Its place among them.
        count: How many there are.
    """

    rank: int = 0
    count: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this one writes and speaks."""
        return self.rank == 0

    def share(self, chosen: Sequence[int], atoms: Sequence[int]) -> list[int]:
        """Its part of a batch, of about as many atoms as those of the others.

        Args:
            chosen: Structures.
            atoms: Of every structure.
        """
        if self.count == 1:
            return list(chosen)
        return sorted(chosen, key=lambda index: (-atoms[index], index))[self.rank :: self.count]

    def summed(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """The sums over all processes, the same bits in each."""
        if self.count == 1:
            return list(tensors)
        flat = torch.cat([tensor.detach().flatten().double() for tensor in tensors])
        torch.distributed.all_reduce(flat)
        parts = flat.split([tensor.numel() for tensor in tensors])
        return [part.reshape(tensor.shape).to(tensor.dtype) for part, tensor in zip(parts, tensors, strict=True)]

    def any(self, asked: bool) -> bool:
        """Whether one of them asks for something."""
        return asked if self.count == 1 else bool(self.summed([torch.tensor(float(asked))])[0] > 0)

    def of_first(self, number: int) -> int:
        """What the first one says: clocks differ."""
        if self.count == 1:
            return number
        said = torch.tensor(number)
        torch.distributed.broadcast(said, 0)
        return int(said)

    def require_same(self, identity: Mapping[str, str]) -> None:
        """Refuse to train together what is not the same.

        Args:
            identity: What makes two runs the same, by name.

        Raises:
            ConfigurationError: Naming what differs, and where.
        """
        if self.count == 1:
            return
        found: list[Mapping[str, str] | None] = [None] * self.count
        torch.distributed.all_gather_object(found, dict(identity))
        first = found[0] or {}
        for rank, other in enumerate(found):
            different = [name for name in identity if (other or {}).get(name) != first.get(name)]
            if different:
                raise ConfigurationError(
                    f"process {rank} has other {' and '.join(different)} than process 0",
                    place=f"process {self.rank} of {self.count}",
                    rule="processes that train one model have the same data, settings and first parameters",
                    mend="start all of them by one torchrun command, on files that all of them see",
                )


ALONE = Processes()


@contextmanager
def launched_processes() -> Iterator[Processes]:
    """The processes that torchrun started, connected by gloo meanwhile; without torchrun, one.

    Raises:
        ConfigurationError: Some of what torchrun says is missing.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield ALONE
        return
    missing = [name for name in STARTED if name not in os.environ]
    if missing:
        raise ConfigurationError(
            f"WORLD_SIZE is {os.environ['WORLD_SIZE']}, and {', '.join(missing)} is not set",
            place="environment",
            rule="processes that train together know each other",
            mend="start them by torchrun; or unset WORLD_SIZE",
        )
    torch.distributed.init_process_group("gloo", timeout=PATIENCE)
    try:
        yield Processes(torch.distributed.get_rank(), torch.distributed.get_world_size())
    finally:
        torch.distributed.destroy_process_group()

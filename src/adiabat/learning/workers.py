"""Workers: who asks the oracle, and how many at once."""

from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ase import Atoms

from adiabat.errors import OracleError
from adiabat.learning.answer import Answer, Code
from adiabat.learning.oracle import Oracle

ATTEMPTS = 2
"""At a request whose process died or fell silent: an oracle that crashes twice on a structure would crash again."""


@dataclass(frozen=True)
class Workers:
    """How labels are computed.

    Attributes:
        count: Processes of the oracle, on this machine.
        timeout_s: For one label: an oracle that is silent for longer is ended.
        cluster: The address of a Dask scheduler, or a file (YAML) that says which cluster of dask-jobqueue is to be started; its workers
            ask in place of this machine. None: this machine.
    """

    count: int = 1
    timeout_s: float = 3600.0
    cluster: str | None = None


ONE_WORKER = Workers()
"""One process, an hour for a label."""


class Askers(Protocol):
    """Those that ask an oracle, side by side.

    Attributes:
        code: What the oracle says it is.
        at_once: How many requests can be under way.
    """

    code: Code

    @property
    def at_once(self) -> int:
        """How many requests can be under way."""
        ...

    def submit(self, atoms: Atoms) -> Future[Answer | OracleError]:
        """Ask of a structure; what goes wrong is the result, and not raised."""
        ...


def open_askers(oracle: Oracle, workers: Workers, scratch: Path) -> AbstractContextManager[Askers]:
    """For a block, at whose end they end.

    Args:
        oracle: What is asked.
        workers: How.
        scratch: Where the oracle's processes run on this machine.

    Raises:
        OracleError: The oracle does not start, or there is no such cluster.
    """
    if workers.cluster is None:
        from adiabat.learning.own_processes import OwnProcesses

        return OwnProcesses(oracle, workers, scratch)
    from adiabat.learning.dask_workers import DaskWorkers

    return DaskWorkers(oracle, workers)

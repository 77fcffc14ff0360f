"""Labels on a cluster: workers of Dask that each keep one process of the oracle."""

from concurrent.futures import Future
from importlib import import_module
from pathlib import Path
from tempfile import mkdtemp
from threading import local
from types import TracebackType
from typing import Any, Self

import yaml
from ase import Atoms

from adiabat.errors import OracleError
from adiabat.learning.answer import Answer, Code
from adiabat.learning.oracle import Oracle
from adiabat.learning.process import OracleProcess, start_oracle
from adiabat.learning.structure_json import from_json, to_json
from adiabat.learning.workers import ATTEMPTS, Workers

CONNECT_S = 30.0
_here = local()
"""On a worker: the process of the oracle that its thread asks."""


class DaskWorkers:
    """The workers of a scheduler, those that come later included.

    Args:
        oracle: What is asked; its code is installed where the workers are.
        workers: The cluster, and how long.

    Attributes:
        code: What the oracle says it is.

    Raises:
        OracleError: There is no such cluster, or the oracle does not start there.
    """

    def __init__(self, oracle: Oracle, workers: Workers) -> None:
        self._oracle, self._timeout_s = oracle, workers.timeout_s
        self._cluster, self._client = _connected(str(workers.cluster))
        self.code = self._said(self._client.submit(_describe, oracle, pure=False))

    @property
    def at_once(self) -> int:
        """Twice the workers' threads, so that none waits for the next request."""
        return 2 * max(1, sum(self._client.nthreads().values()))

    def submit(self, atoms: Atoms) -> Future[Answer | OracleError]:
        """Ask of a structure; a worker that dies is replaced by another one, as Dask does it."""
        found: Future[Answer | OracleError] = Future()
        found.set_running_or_notify_cancel()
        asked = self._client.submit(_ask, self._oracle, to_json(atoms), self._timeout_s, pure=False, retries=1)
        asked.add_done_callback(lambda done: found.set_result(_result(self._oracle, done)))
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()
        if self._cluster is not None:
            self._cluster.close()

    def _said(self, asked: Any) -> Code:
        found = _result(self._oracle, asked)
        if isinstance(found, OracleError):
            self.__exit__(None, None, None)
            raise found
        return found


def _connected(cluster: str) -> tuple[Any, Any]:
    """A cluster that was started for this, or None, and a client."""
    try:
        import distributed
    except ImportError as error:
        raise _refused(cluster, "dask.distributed is not installed", "pip install 'adiabat[cluster]'") from error
    started = _started(Path(cluster)) if Path(cluster).suffix in (".yaml", ".yml") else None
    try:
        return started, distributed.Client(started or cluster, timeout=CONNECT_S)
    except (OSError, ValueError) as error:
        raise _refused(cluster, f"{error}", "start `dask scheduler`, and name the address that it prints") from error


def _started(file: Path) -> Any:
    """A cluster of dask-jobqueue: {cluster: SLURMCluster, jobs: 10, cores: 16, memory: 64GB, ...}."""
    try:
        kinds = import_module("dask_jobqueue")
        settings = dict(yaml.safe_load(file.read_text()))
        jobs = int(settings.pop("jobs"))
        cluster = getattr(kinds, settings.pop("cluster"))(**settings)
    except ImportError as error:
        raise _refused(str(file), "dask-jobqueue is not installed", "pip install dask-jobqueue") from error
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        mend = "write cluster (SLURMCluster ...), jobs, and what that cluster takes"
        raise _refused(str(file), f"{type(error).__name__}: {error}", mend) from error
    cluster.scale(jobs=jobs)
    return cluster


def _refused(cluster: str, what: str, mend: str) -> OracleError:
    return OracleError(
        what, place=f"cluster {cluster}", rule="labels are computed by the workers of a cluster", mend=mend
    )


def _result(oracle: Oracle, asked: Any) -> Any:
    """What a worker answered, or why it did not."""
    try:
        return asked.result()
    except OracleError as error:
        return error
    except Exception as error:  # whatever a cluster raises: its workers died, were lost, could not import
        return OracleError(
            f"{type(error).__name__}: {error}",
            place=oracle.name,
            rule="a worker of the cluster answers",
            mend="see the logs of its workers",
        )


def _describe(oracle: Oracle) -> Code:
    """On a worker."""
    return _process(oracle).code


def _ask(oracle: Oracle, structure: dict[str, Any], timeout_s: float) -> Answer | OracleError:
    """On a worker: by its process, or a new one where that died."""
    failure: OracleError | None = None
    for _ in range(ATTEMPTS):
        process = _process(oracle)
        try:
            return process.ask(from_json(structure), timeout_s=timeout_s)
        except OracleError as error:
            failure = error
            if process.alive:
                return error
    assert failure is not None
    return failure


def _process(oracle: Oracle) -> OracleProcess:
    process: OracleProcess | None = getattr(_here, "process", None)
    if process is None or not process.alive or process.oracle != oracle:
        if process is not None:
            process.close()
        process = _here.process = start_oracle(oracle, Path(mkdtemp(prefix="adiabat-oracle-")))
    return process

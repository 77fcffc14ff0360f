"""Processes of an oracle on this machine: started when needed, started again when they die."""

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from ase import Atoms

from adiabat.errors import OracleError
from adiabat.learning.answer import Answer
from adiabat.learning.oracle import Oracle
from adiabat.learning.process import OracleProcess, start_oracle
from adiabat.learning.workers import ATTEMPTS, Workers


class OwnProcesses:
    """Threads that each wait for one process.

    Args:
        oracle: What is asked.
        workers: How many at once, and how long.
        scratch: Where the processes run.

    Attributes:
        code: What the oracle says it is.

    Raises:
        OracleError: It does not start.
    """

    def __init__(self, oracle: Oracle, workers: Workers, scratch: Path) -> None:
        self._oracle, self._workers, self._scratch = oracle, workers, scratch
        first = start_oracle(oracle, scratch / "0")
        self.code = first.code
        self._idle, self._processes = [first], [first]
        self._is_over = False
        self._threads = ThreadPoolExecutor(workers.count)

    @property
    def at_once(self) -> int:
        """How many requests can be under way."""
        return self._workers.count

    def submit(self, atoms: Atoms) -> Future[Answer | OracleError]:
        """Ask of a structure."""
        return self._threads.submit(self._ask, atoms)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()
        self._threads.shutdown()
        self._end()  # what was being started meanwhile

    def _ask(self, atoms: Atoms) -> Answer | OracleError:
        """In a thread: by an idle process, or by a new one where there is none; once more where it died."""
        failure: OracleError | None = None
        for _ in range(ATTEMPTS):
            try:
                process = self._process()
            except OracleError as error:
                return error
            try:
                return process.ask(atoms, timeout_s=self._workers.timeout_s)
            except OracleError as error:
                failure = error
                if process.alive:  # it said no: it would again
                    return error
            finally:
                if process.alive:
                    self._idle.append(process)
        assert failure is not None
        return failure

    def _process(self) -> OracleProcess:
        if self._is_over:
            raise OracleError(
                "the run was stopped",
                place=self._oracle.name,
                rule="an oracle is asked while its run goes on",
                mend="the same command goes on with what is open",
            )
        try:
            return self._idle.pop()
        except IndexError:
            process = start_oracle(self._oracle, self._scratch / str(len(self._processes)))
            self._processes.append(process)
            return process

    def _end(self) -> None:
        self._is_over = True
        for process in self._processes:
            process.close()

"""Labelling: structures in, labels of one oracle out, by several processes; nothing is lost and nothing is computed twice."""

import contextlib
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

from ase import Atoms

from adiabat.errors import OracleError
from adiabat.learning.answer import Answer, Code
from adiabat.learning.gate import answer_held_back, structures_held_back
from adiabat.learning.oracle import Oracle
from adiabat.learning.process import OracleProcess, start_oracle
from adiabat.learning.store import LabelStore, Request, identity
from adiabat.results import Result
from adiabat.runs import StopRequest, claimed, track
from adiabat.system import Labelled

ATTEMPTS = 2
"""Of a request whose process died or fell silent: an oracle that crashes twice on a structure would crash again."""


@dataclass(frozen=True)
class LabelSummary(Result):
    """What became of all that is in the ledger.

    Attributes:
        code: What made the labels, its version and settings.
        done: Labels.
        failed: Structures without one, each with the reason.
        rejected: Structures or answers that the gate held back, each with the reason.
        open: Structures that are still to be labelled, where the run was stopped.
        repeated: Structures that were given more than once, and are asked for once.
        unnamed_energies: Labels of this run whose code knows one energy only, and does not say that forces are its derivatives.
        oracle_seconds: That all answers took together.
    """

    code: Code
    done: int
    failed: dict[str, str]
    rejected: dict[str, str]
    open: int
    repeated: int
    unnamed_energies: int
    oracle_seconds: float

    @property
    def is_complete(self) -> bool:
        """Whether every structure that was asked for has its label."""
        return not self.failed and not self.rejected and not self.open


def label(
    structures: Sequence[Labelled],
    oracle: Oracle,
    store_file: Path,
    *,
    workers: int = 1,
    timeout_s: float = 3600.0,
    quiet: bool = False,
) -> LabelSummary:
    """Label structures, and go on where an earlier run was stopped or killed.

    SIGINT and SIGTERM end it after what is being written; what is being computed is asked again next time.

    Args:
        structures: Those of the store that are not among them are not asked for again, but finished where they were begun.
        oracle: What labels.
        store_file: The label store; is made where there is none, and needs a file system with locks.
        workers: Processes of the oracle.
        timeout_s: For one label.
        quiet: Show no progress.

    Raises:
        OracleError: The oracle does not start.
        LabelStoreError: The store holds labels that were made otherwise.
        OutputError: Another process is labelling into the store.
    """
    scratch = store_file.with_name(store_file.name + ".oracle")
    with claimed(store_file.with_name(store_file.name + ".lock"), what=store_file), StopRequest() as stop:
        store = LabelStore(store_file)
        with start_oracle(oracle, scratch / "0") as first:
            store.require_same_code(first.code)
            store.take_back()
            store.ask(structures)
            run = _Run(oracle, store, scratch, timeout_s)
            run.hold_back()
            requests = store.open_requests()
            with run.pool(first, workers) as pool:
                outcomes = run.outcomes(pool, requests, workers, stop)
                for request, outcome in track(outcomes, "labelling", total=len(requests), quiet=quiet):
                    run.settle(request, outcome)
        repeated = len(structures) - len(set(map(identity, structures)))
        return _summarised(store, first.code, repeated=repeated, unnamed=run.unnamed)


def _summarised(store: LabelStore, code: Code, *, repeated: int, unnamed: int) -> LabelSummary:
    counts = store.counts()
    return LabelSummary(
        code=code,
        done=counts.get("done", 0),
        failed=dict(store.reasons("failed")),
        rejected=dict(store.reasons("rejected")),
        open=counts.get("asked", 0) + counts.get("running", 0),
        repeated=repeated,
        unnamed_energies=unnamed,
        oracle_seconds=store.seconds(),
    )


@dataclass
class _Run:
    """One pass over the open requests.

    Attributes:
        oracle: What labels.
        store: Where labels go; this thread alone writes there.
        scratch: Where processes run.
        timeout_s: For one label.
        passed: Labels so far.
        idle: Processes that can be asked.
        processes: All that were started.
        is_over: No more are to be started.
        unnamed: Labels whose code does not say which energy forces are derivatives of.
    """

    oracle: Oracle
    store: LabelStore
    scratch: Path
    timeout_s: float
    passed: list[Labelled] = field(default_factory=list)
    idle: list[OracleProcess] = field(default_factory=list)
    processes: list[OracleProcess] = field(default_factory=list)
    is_over: bool = False
    unnamed: int = 0

    def __post_init__(self) -> None:
        self.passed = self.store.labelled()

    def hold_back(self) -> None:
        """Reject open requests that are not worth asking."""
        requests = self.store.open_requests()
        known = len(self.passed)
        for index, reason in structures_held_back([*self.passed, *(r.structure for r in requests)]).items():
            if index >= known:
                self.store.reject(requests[index - known], reason)

    @contextlib.contextmanager
    def pool(self, first: OracleProcess, workers: int) -> Iterator[ThreadPoolExecutor]:
        """Threads that each wait for one process; the processes end with the block."""
        self.idle.append(first)
        self.processes.append(first)
        try:
            with ThreadPoolExecutor(workers) as pool:
                try:
                    yield pool
                finally:
                    self._end()
        finally:
            self._end()  # what was being started meanwhile

    def outcomes(
        self, pool: ThreadPoolExecutor, requests: Sequence[Request], workers: int, stop: StopRequest
    ) -> Iterator[tuple[Request, Answer | OracleError]]:
        """As they come; on a stop, what is being computed is given up."""
        waiting, running = list(reversed(requests)), dict[Future[Answer | OracleError], Request]()
        while (waiting or running) and not stop.requested:
            while waiting and len(running) < workers:
                request = waiting.pop()
                self.store.start(request)
                running[pool.submit(self._ask, request.structure.atoms)] = request
            for future in wait(running, timeout=0.2, return_when=FIRST_COMPLETED).done:
                yield running.pop(future), future.result()
        for request in running.values():
            self.store.release(request)

    def settle(self, request: Request, outcome: Answer | OracleError) -> None:
        """Write down what became of a request."""
        if isinstance(outcome, OracleError):
            self.store.fail(request, outcome.what)
            return
        reason = answer_held_back(request.structure, outcome, self.passed)
        if reason is not None:
            self.store.reject(request, reason, seconds=outcome.seconds)
            return
        self.store.finish(request, outcome)
        self.unnamed += not outcome.names_force_consistent_energy
        structure = request.structure
        self.passed.append(
            Labelled(structure.atoms, outcome.labels, structure.config_type, structure.group, structure.place)
        )

    def _ask(self, atoms: Atoms) -> Answer | OracleError:
        """In a thread: by an idle process, or by a new one where there is none; once more where it died."""
        failure: OracleError | None = None
        for _ in range(ATTEMPTS):
            try:
                process = self._process()
            except OracleError as error:
                return error
            try:
                return process.ask(atoms, timeout_s=self.timeout_s)
            except OracleError as error:
                failure = error
                if process.alive:  # it said no: it would again
                    return error
            finally:
                if process.alive:
                    self.idle.append(process)
        assert failure is not None
        return failure

    def _process(self) -> OracleProcess:
        if self.is_over:
            raise OracleError(
                "the run was stopped",
                place=self.oracle.name,
                rule="an oracle is asked while its run goes on",
                mend="the same command goes on with what is open",
            )
        try:
            return self.idle.pop()
        except IndexError:
            process = start_oracle(self.oracle, self.scratch / str(len(self.processes)))
            self.processes.append(process)
            return process

    def _end(self) -> None:
        self.is_over = True
        for process in self.processes:
            process.close()

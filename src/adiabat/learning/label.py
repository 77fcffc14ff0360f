"""Labelling: structures in, labels of one oracle out, by several processes; nothing is lost and nothing is computed twice."""

from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from pathlib import Path

from adiabat.errors import OracleError
from adiabat.learning.answer import Answer, Code
from adiabat.learning.gate import answer_held_back, structures_held_back
from adiabat.learning.oracle import Oracle
from adiabat.learning.store import LabelStore, Request, identity
from adiabat.learning.workers import ONE_WORKER, Askers, Workers, open_askers
from adiabat.results import Result
from adiabat.runs import StopRequest, claimed, track
from adiabat.system import Labelled


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
    workers: Workers = ONE_WORKER,
    quiet: bool = False,
) -> LabelSummary:
    """Label structures, and go on where an earlier run was stopped or killed.

    SIGINT and SIGTERM end it after what is being written; what is being computed is asked again next time.

    Args:
        structures: Those of the store that are not among them are not asked for again, but finished where they were begun.
        oracle: What labels.
        store_file: The label store; is made where there is none, and needs a file system with locks.
        workers: How many at once, and where.
        quiet: Show no progress.

    Raises:
        OracleError: The oracle does not start.
        LabelStoreError: The store holds labels that were made otherwise.
        OutputError: Another process is labelling into the store.
    """
    scratch = store_file.with_name(store_file.name + ".oracle")
    with claimed(store_file.with_name(store_file.name + ".lock"), what=store_file), StopRequest() as stop:
        store = LabelStore(store_file)
        with open_askers(oracle, workers, scratch) as askers:
            store.require_same_code(askers.code)
            store.take_back()
            store.ask(structures)
            run = _Run(store, askers)
            run.hold_back()
            requests = store.open_requests()
            for request, outcome in track(run.outcomes(requests, stop), "labelling", total=len(requests), quiet=quiet):
                run.settle(request, outcome)
            code = askers.code
        repeated = len(structures) - len(set(map(identity, structures)))
        return _summarised(store, code, repeated=repeated, unnamed=run.unnamed)


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
        store: Where labels go; this thread alone writes there.
        askers: Who asks.
        passed: Labels so far.
        unnamed: Labels whose code does not say which energy forces are derivatives of.
    """

    store: LabelStore
    askers: Askers
    passed: list[Labelled] = field(default_factory=list)
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

    def outcomes(
        self, requests: Sequence[Request], stop: StopRequest
    ) -> Iterator[tuple[Request, Answer | OracleError]]:
        """As they come; on a stop, what is being computed is given up."""
        waiting, running = list(reversed(requests)), dict[Future[Answer | OracleError], Request]()
        while (waiting or running) and not stop.requested:
            while waiting and len(running) < self.askers.at_once:
                request = waiting.pop()
                self.store.start(request)
                running[self.askers.submit(request.structure.atoms)] = request
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

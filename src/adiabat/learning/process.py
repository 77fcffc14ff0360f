"""The process that an oracle runs in: what goes wrong there ends no one else."""

import contextlib
import json
import os
import queue
import signal
import subprocess
import threading
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, cast

from ase import Atoms

from adiabat.errors import OracleError
from adiabat.learning.answer import Answer, Code
from adiabat.learning.oracle import INSIDE, Oracle
from adiabat.learning.structure_json import to_json

START_S = 120.0
"""Until a code has been imported."""
WORDS = 400
"""Characters of what a process printed last, in a message."""


class OracleKilledError(OracleError):
    """Its process was ended by a signal: not by its own doing, as far as one can tell."""


def start_oracle(oracle: Oracle, folder: Path) -> "OracleProcess":
    """An oracle's process; started once more where the first was killed while it started.

    Raises:
        OracleError: It does not start.
    """
    try:
        return OracleProcess(oracle, folder)
    except OracleKilledError:
        return OracleProcess(oracle, folder)


class OracleProcess:
    """One oracle, ready to label one structure at a time.

    Args:
        oracle: Which.
        folder: Where it runs, and its log is.

    Attributes:
        code: What it says it is.

    Raises:
        OracleError: It does not start.
    """

    def __init__(self, oracle: Oracle, folder: Path) -> None:
        self.oracle = oracle
        self.log = folder / "oracle.log"
        folder.mkdir(parents=True, exist_ok=True)
        paths = [os.getcwd(), os.environ.get("PYTHONPATH", "")]
        with self.log.open("ab") as log:
            try:
                self._process = subprocess.Popen(
                    [oracle.python, str(INSIDE / "worker.py")],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    cwd=folder,
                    env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
                    start_new_session=True,  # so that whatever it starts ends with it
                )
            except OSError as error:
                raise self._unavailable(f"{oracle.python}: {error.strerror}") from error
        self._stdin, self._closed = cast(IO[bytes], self._process.stdin), False
        self._answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()
        self.code = self._introduced()

    def ask(self, atoms: Atoms, *, timeout_s: float) -> Answer:
        """What it says of a structure.

        Raises:
            OracleError: It failed, fell silent or died; it is of no use any more where `alive` is false.
        """
        said = self._exchange(to_json(atoms), timeout_s)
        if "error" in said:
            raise OracleError(
                said["error"],
                place=self.oracle.name,
                rule="a label is of a calculation that ended well",
                mend=f"see {self.log}",
            )
        return Answer.from_json(said)

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    def close(self) -> None:
        """End it, with all that it started."""
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        with contextlib.suppress(BrokenPipeError):
            self._stdin.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _introduced(self) -> Code:
        try:
            said = self._exchange({"code": self.oracle.module, "settings": self.oracle.settings}, START_S)
        except OracleError as error:
            raise self._unavailable(error.what, type(error)) from error
        if "refused" in said:
            self.close()
            raise self._unavailable(said["refused"])
        return Code(**said["described"])

    def _exchange(self, what: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        try:
            self._stdin.write((json.dumps(what) + "\n").encode())
            self._stdin.flush()
            line = self._answers.get(timeout=timeout_s)
        except (queue.Empty, OSError, ValueError) as error:  # ValueError: closed meanwhile
            self.close()
            if isinstance(error, queue.Empty):
                raise self._lost(f"no answer within {timeout_s:g} s", OracleError) from error
            raise self._lost("its process has ended", OracleKilledError) from error
        if not line:
            self.close()
            status = self._process.returncode
            kind = OracleKilledError if status < 0 else OracleError
            raise self._lost(f"its process has ended, with status {status}", kind)
        return json.loads(line)

    def _listen(self) -> None:
        with cast(IO[bytes], self._process.stdout) as stdout:
            for line in stdout:
                self._answers.put(line.decode())
        self._answers.put("")  # it has ended

    def _lost(self, what: str, kind: type[OracleError]) -> OracleError:
        said = self.log.read_text(errors="replace").strip()[-WORDS:]
        return kind(
            what,
            place=self.oracle.name,
            rule="an oracle answers",
            mend=f"see {self.log}" + (f", which ends with: {said}" if said else ""),
        )

    def _unavailable(self, what: str, kind: type[OracleError] = OracleError) -> OracleError:
        return kind(
            f"cannot be used: {what}",
            place=f"oracle {self.oracle.name}",
            rule="a code that labels is installed, and knows its settings",
            mend=self.oracle.mend,
        )

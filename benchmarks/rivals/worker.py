"""A process in a rival's environment, asked by lines of JSON."""

import json
import os
import resource
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any

from rivals.failure import Failed, last_words

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "JAX_PLATFORMS": "cpu",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "CUDA_VISIBLE_DEVICES": "",
}


class Worker:
    """A script that serves one subject, or trains one.

    Args:
        python: The interpreter of its environment.
        script: The script.
        arguments: For it.
        log: Where all goes that is no answer.
    """

    def __init__(self, python: Path, script: Path, arguments: list[str], *, log: Path) -> None:
        self._log = log
        with log.open("w") as errors:
            self._process = subprocess.Popen(
                [python, script, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                cwd=log.parent,
                env=os.environ | ONE_THREAD,
            )

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def answer(self, stage: str) -> dict[str, Any]:
        """The next answer.

        Raises:
            Failed: It is an error, or the process has ended.
        """
        assert self._process.stdout is not None
        line = next((line for line in self._process.stdout if line.startswith("{")), None)  # a package may greet first
        if line is None:
            raise self._ended(stage)
        found = json.loads(line)
        if "error" in found:
            raise Failed(stage, found["error"].splitlines()[0][:300])
        return found

    def ask(self, stage: str, **request: Any) -> dict[str, Any]:
        """Answer to a request.

        Raises:
            Failed: It is an error, or the process has ended.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._ended(stage) from None
        return self.answer(stage)

    def _ended(self, stage: str) -> Failed:
        return Failed(stage, f"exit status {self._process.wait()}: {last_words(self._log.read_text())}")

    def close(self) -> float:
        """End the process; its processor seconds, those of its own children included."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

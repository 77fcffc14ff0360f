"""How benchmarks time, and what they say of the machine."""

import ctypes
import gc
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch

Work = Callable[[], object]


def paired(works: Sequence[Work], *, runs: int) -> np.ndarray:
    """(runs, works) seconds, of each in turn: what disturbs one run disturbs its neighbours alike."""
    for work in works:
        work()
    seconds = np.empty((runs, len(works)))
    for run in seconds:
        for k, work in enumerate(works):
            start = time.perf_counter()
            work()
            run[k] = time.perf_counter() - start
    return seconds


def ratio(seconds: np.ndarray, one: int, other: int) -> str:
    """Of the times of two works, run by run: the median, and the quartiles."""
    low, middle, high = np.quantile(seconds[:, one] / seconds[:, other], [0.25, 0.5, 0.75])
    return f"{middle:.2f} [{low:.2f} {high:.2f}]"


def machine() -> str:
    """Versions, system, processor, load."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("adiabat", "numpy", "torch"))
    system = f"Python {platform.python_version()}, {platform.platform()}"
    return f"{packages}, {system}\n{processor()}, load {os.getloadavg()[0]:.1f}, {torch.get_num_threads()} thread(s)"


def processor() -> str:
    """The processor's name."""
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.is_file():
        return platform.processor()
    names = [x.split(":")[1].strip() for x in cpuinfo.read_text().splitlines() if x.startswith("model name")]
    return f"{len(names)} × {names[0]}" if names else platform.processor()


class PeakMemory:
    """Within its block, how much the process grew at most; None where the system does not say."""

    def __enter__(self) -> "PeakMemory":
        self._known = sys.platform == "linux"
        if self._known:
            gc.collect()
            ctypes.CDLL(None).malloc_trim(0)  # what is free already is no room to grow into unseen
            Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
            self._before = self._status("VmRSS")
        return self

    def __exit__(self, *_: object) -> None:
        self.bytes = self._status("VmHWM") - self._before if self._known else None

    @staticmethod
    def _status(name: str) -> int:
        lines = Path("/proc/self/status").read_text().splitlines()
        return 1024 * int(next(line for line in lines if line.startswith(name)).split()[1])

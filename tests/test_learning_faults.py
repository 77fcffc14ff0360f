"""Learning through faults of every kind: nothing is lost, nothing counts twice, and the run ends by itself."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.io import write
from narrowing import present

from adiabat.learning import LabelStore

SETTINGS = {
    "budget": "150",
    "first": "14",
    "squeezed": "0",
    "batch": "8",
    "explore": "{explorers: 2, steps: 100}",
    "force_std_ev_per_angstrom": "0.001",  # never sure
    "train.basis": "{size: small, cutoff_angstrom: 4.0}",
    "train.repulsion.enabled": "false",
    "validation": "null",
}
WANTED = 50
WHILE_S, LONGEST_WHILE_S = (3.0, 9.0), 300.0
"""From one fault to the next, in CPU seconds of the loop; and by the clock."""


def started(folder: Path, before: str = "") -> subprocess.Popen[bytes]:
    """The loop, in a process; it goes on where there is something to go on with."""
    arguments = [
        *("learn", str(folder / "start.xyz"), "--oracle", "faulty_calculators:make", "--out", str(folder / "run")),
        *("--oracle-set", f"fault=by lot in {folder / 'faults'}", "--workers", "2", "--timeout-s", "1.5"),
        *(part for name, value in SETTINGS.items() for part in ("--set", f"{name}={value}")),
    ]
    if (folder / "run" / "learn.json").exists():
        arguments.append("--resume")
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-c", f"{before}from adiabat.cli import main; main()", *arguments],
            stderr=log,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
        )


FULL_DISK = (
    "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
    "resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000)); "
)
"""As a disk that is full: no file grows beyond 40 kB."""


def said(folder: Path) -> str:
    return (folder / "log").read_text()[-2000:]


def oracles_of(process: subprocess.Popen[bytes]) -> list[int]:
    found = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [int(pid) for task in found.parent.parent.glob("*/children") for pid in task.read_text().split()]


def cpu_seconds(process: subprocess.Popen[bytes]) -> float:
    """That it has used; infinite where it has ended."""
    try:
        said = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return np.inf
    return (int(said[11]) + int(said[12])) / os.sysconf("SC_CLK_TCK")


def disturbed(process: subprocess.Popen[bytes], rng: random.Random) -> str | None:
    """After a while kill the loop or an oracle; None where the run ended before.

    The while is one of CPU seconds, so that a busy machine gets as far as an idle one; a loop that waits uses none.
    """
    until, latest = cpu_seconds(process) + rng.uniform(*WHILE_S), time.monotonic() + LONGEST_WHILE_S
    while cpu_seconds(process) < until and time.monotonic() < latest:
        try:
            process.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
        return None
    oracles = oracles_of(process)
    if oracles and rng.random() < 0.5:
        os.kill(rng.choice(oracles), signal.SIGKILL)
        return "an oracle was killed"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    for pid in oracles:  # they end when nobody listens
        for _ in range(200):
            if not Path(f"/proc/{pid}").exists():
                break
            time.sleep(0.05)
    return "the loop was killed"


@pytest.mark.slow
def test_fifty_faults_lose_no_label_and_count_none_twice(tmp_path: Path) -> None:
    rng = random.Random(0)
    write(tmp_path / "start.xyz", bulk("Cu", cubic=True))
    faults: Counter[str] = Counter()
    status, runs = None, 0
    while status is None:
        runs += 1
        assert runs < 200
        full = runs % 4 == 3
        process = started(tmp_path, FULL_DISK if full else "")
        if full:
            assert process.wait(300) == 2, said(tmp_path)
            faults["the disk was full"] += 1
            continue
        while process.poll() is None:
            fault = disturbed(process, rng)
            faults.update([fault] if fault else [])
        if process.returncode >= 0:
            status = process.returncode
    assert status == 1, said(tmp_path)  # the budget is spent
    faults.update((tmp_path / "faults").read_text().splitlines())
    print(dict(faults))
    assert sum(faults.values()) >= WANTED
    assert len(faults) >= 9
    store = LabelStore(tmp_path / "run" / "labels.db")
    counts, labels = store.counts(), store.labelled()
    assert set(counts) <= {"done", "failed", "rejected"}
    assert sum(counts.values()) == int(SETTINGS["budget"])
    assert len(labels) == counts["done"]
    with sqlite3.connect(store.file) as connection:
        assert connection.execute("SELECT COUNT(*) FROM systems").fetchone() == (counts["done"],)
        assert connection.execute("SELECT COUNT(DISTINCT label) FROM ledger").fetchone() == (counts["done"],)
    for one in labels:
        atoms = one.atoms.copy()
        atoms.calc = EMT()
        assert one.labels.energy == pytest.approx(atoms.get_potential_energy(), abs=1e-9)
        assert np.allclose(present(one.labels.forces), atoms.get_forces(), atol=1e-9)

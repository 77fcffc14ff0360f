"""A run while it goes on: a line for the terminal, and a page for a browser."""

import contextlib
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from adiabat.errors import AdiabatError
from adiabat.learning.config import LearnConfig
from adiabat.learning.estimate import CostEstimate
from adiabat.learning.learn import LearnFolder
from adiabat.learning.page import ENDS, run_figures
from adiabat.learning.progress import Progress, read_json, read_progress
from adiabat.learning.tables import cost_table, generation_table
from adiabat.results import Page
from adiabat.runs import LiveText, duration

SECONDS_BETWEEN_LOOKS = 0.5
NOTHING = "beginning"


def progress_line(progress: Progress) -> str:
    """How far a run has come, in a line."""
    p = progress
    found = [_doing(p), f"labels {p.labels} of at most {p.budget}"]
    if p.failed or p.rejected:
        found.append(f"{p.failed} failed, {p.rejected} held back")
    if p.generations:
        last = p.generations[-1]
        if last.new_force_rmse_ev_per_angstrom is not None:
            found.append(
                f"new forces {last.new_force_rmse_ev_per_angstrom:.3f} eV/Å wrong, said {last.new_force_std_ev_per_angstrom:.3f}"
            )
        found.append(f"{last.fraction_flagged:.0%} unsure")
    found.append(f"oracle {duration(p.oracle_seconds)}")
    return ", ".join([*found, _time(p)])


def live_page(folder: Path) -> Page | None:
    """What a browser shows of the run in a folder; reads only. None before the run has begun.

    Raises:
        LabelStoreError: The store cannot be read just now.
    """
    files = LearnFolder(folder)
    if not files.identity.exists():
        return None
    progress = read_progress(folder)
    estimate = CostEstimate.load(files.estimate) if files.estimate.exists() else None
    config = LearnConfig.restore(read_json(files.identity)["configuration"])
    generations = [generation_table(progress.generations)] if progress.generations else []
    return Page(
        title=f"Learning {folder.absolute().name}",
        summary=(
            _doing(progress).capitalize() + ".",
            f"{progress.labels} labels of at most {progress.budget}; {progress.open} waiting, {progress.failed} failed, "
            f"{progress.rejected} held back.",
            _time(progress).capitalize() + ".",
            *(() if estimate is None else estimate.sentences()),
        ),
        tables=(*generations, cost_table(progress, estimate)),
        figures=run_figures(progress, config),
    )


def _doing(progress: Progress) -> str:
    if progress.why is not None:
        return f"ended: {ENDS[progress.why]}"
    if progress.phase is None:
        return NOTHING
    return progress.phase if progress.generation is None else f"generation {progress.generation}, {progress.phase}"


def _time(progress: Progress) -> str:
    so_far = f"{duration(progress.seconds)} so far"
    if progress.why is not None or progress.seconds_left is None:
        return so_far
    return f"{so_far}, at most {duration(progress.seconds_left)} left"


class LiveProgress:
    """Within its block, the terminal shows how the run in a folder goes on.

    Args:
        folder: Of the run.
        quiet: Show nothing.
    """

    def __init__(self, folder: Path, *, quiet: bool = False) -> None:
        self._folder, self._text = folder, LiveText(quiet=quiet)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> Self:
        self._text.__enter__()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        self._text.__exit__(kind, value, trace)

    def say(self, message: str) -> None:
        """Show a line that stays."""
        self._text.say(message)

    def _follow(self) -> None:
        while not self._ended.wait(SECONDS_BETWEEN_LOOKS):
            if LearnFolder(self._folder).identity.exists():
                with contextlib.suppress(AdiabatError):  # what cannot be read just now may be in a moment
                    self._text.show(lambda: progress_line(read_progress(self._folder)))

"""A line that says how a long run goes on, on stderr: rewritten on a terminal, a new line now and then elsewhere."""

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

SECONDS_BETWEEN_REFRESHES = 0.5
SECONDS_BETWEEN_LINES = 15.0


class LiveText:
    """Within its block, shows a line that changes.

    Args:
        quiet: Show nothing.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._terminal = sys.stderr.isatty()
        self._interval = SECONDS_BETWEEN_REFRESHES if self._terminal else SECONDS_BETWEEN_LINES
        self._quiet = quiet
        self._live = Live(console=Console(stderr=True), auto_refresh=False, transient=True)
        self._last = time.monotonic()

    def __enter__(self) -> Self:
        if self._terminal and not self._quiet:
            self._live.start()
        self._last = time.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def say(self, message: str) -> None:
        """Show a line that stays."""
        if not self._quiet:
            self._live.console.print(message, markup=False, highlight=False, soft_wrap=True)

    def show(self, line: Callable[[], str]) -> None:
        """Show a line where it is time to; only then is it made."""
        now = time.monotonic()
        if self._quiet or now - self._last < self._interval:
            return
        self._last = now
        if self._terminal:
            self._live.update(Text(line()), refresh=True)
        else:
            print(line(), file=sys.stderr, flush=True)


def duration(seconds: float) -> str:
    """As minutes and seconds, with hours where there are some: 2:05, 1:00:00."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"

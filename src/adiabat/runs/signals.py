"""A clean stop on SIGINT and SIGTERM."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Self


class StopRequest:
    """Within its block, SIGINT and SIGTERM set `requested` instead of ending the process; a second one ends it at once.

    Signals reach the main thread alone: in another one the block changes nothing.
    """

    def __init__(self) -> None:
        self.requested = False
        self._before: dict[int, object] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is not threading.main_thread():
            return self
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._request)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()

    def _request(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # pyright: ignore[reportArgumentType] (what signal.signal gave back)
        self._before = {}

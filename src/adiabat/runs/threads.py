"""Threads: how many may be used, and tasks that compute side by side, one thread each.

Between parallel loops PyTorch's own threads spin, which costs several times what they gain where loops are short or cores
are shared; and a sum that is divided among threads rounds by their number. So what takes long divides its work into tasks.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

import torch

Result = TypeVar("Result")

_allowed: ContextVar[int | None] = ContextVar("_allowed", default=None)


def allowed_threads() -> int:
    """How many threads may be used: as many as PyTorch may, within `one_thread_each` as it might before."""
    return _allowed.get() or torch.get_num_threads()


@contextmanager
def one_thread_each() -> Iterator[None]:
    """PyTorch computes on one thread meanwhile; `side_by_side` and the compiled kernel on all that are allowed."""
    if _allowed.get() is not None:
        yield
        return
    threads = torch.get_num_threads()
    token = _allowed.set(threads)
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        _allowed.reset(token)


def side_by_side(tasks: Sequence[Callable[[], Result]]) -> list[Result]:
    """What the tasks return, in their order; the number of threads changes no bit of it.

    Args:
        tasks: None of them changes what another one reads.
    """
    with one_thread_each():
        threads = min(allowed_threads(), len(tasks))
        if threads < 2:
            return [task() for task in tasks]
        with ThreadPoolExecutor(threads) as pool:
            running = [pool.submit(task) for task in tasks]
            try:
                return [task.result() for task in running]
            finally:
                pool.shutdown(cancel_futures=True)

"""Tasks side by side: on as many threads as PyTorch may use, each of them alone, so that their number changes no bit."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch

Result = TypeVar("Result")


def side_by_side(tasks: Sequence[Callable[[], Result]]) -> list[Result]:
    """What the tasks return, in their order.

    A task computes on one thread: a library that divides a sum among threads of its own rounds by their number.

    Args:
        tasks: None of them changes what another one reads.
    """
    with _alone() as threads:
        if min(threads, len(tasks)) < 2:
            return [task() for task in tasks]
        with ThreadPoolExecutor(min(threads, len(tasks))) as pool:
            running = [pool.submit(task) for task in tasks]
            try:
                return [task.result() for task in running]
            finally:
                pool.shutdown(cancel_futures=True)


@contextmanager
def _alone() -> Iterator[int]:
    """PyTorch computes on one thread meanwhile; the number that it may use otherwise."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield threads
    finally:
        torch.set_num_threads(threads)

"""Passes over structures, on all threads: rows are made, used and forgotten."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeVar

from adiabat.runs import allowed_threads, side_by_side, track

Found = TypeVar("Found")


def through(task: Callable[[int], Found], places: Sequence[int], title: str, *, quiet: bool = False) -> Iterator[Found]:
    """What a task returns for each place, in their order.

    Args:
        task: Of one place; as many run at once as there are threads.
        places: To go through.
        title: Of the progress.
        quiet: Show no progress.
    """
    chunks = [places[first : first + allowed_threads()] for first in range(0, len(places), allowed_threads())]
    for chunk in track(chunks, title, quiet=quiet):
        yield from side_by_side([partial(task, place) for place in chunk])

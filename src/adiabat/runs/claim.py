"""One process at a time."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adiabat.errors import OutputError


@contextmanager
def claimed(lock_file: Path, *, what: Path) -> Iterator[None]:
    """Keep other processes out while the block runs; the operating system ends the claim with the process.

    Args:
        lock_file: Is made.
        what: Is claimed, for the message.

    Raises:
        OutputError: Another process has claimed it, or the lock cannot be made.
    """
    try:
        lock = lock_file.open("w")
    except OSError as error:
        raise OutputError(
            f"cannot be made: {error.strerror}",
            place=str(lock_file),
            rule="what one process writes is kept from the others",
            mend="name another place",
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OutputError(
                "is in use by another process",
                place=str(what),
                rule="one process at a time goes on with it",
                mend="wait for the other to end, or name another place",
            ) from None
        yield

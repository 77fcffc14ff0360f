"""Files that are written whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adiabat.errors import OutputError


@contextmanager
def atomic_path(file: Path) -> Iterator[Path]:
    """A temporary path beside `file` that takes its place when the block ends well, and is removed when it does not.

    Raises:
        OutputError: The folder is missing or not writable, `file` is a folder or a device, or the disk is full; `file` is
            then as it was.
    """
    _refuse_what_is_no_file(file)
    temporary: Path | None = None
    try:
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.", suffix=".part")
        os.close(handle)
        temporary = Path(name)
        yield temporary
        _flush(temporary)
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(file)
    except OSError as error:
        raise OutputError(
            f"cannot be written: {error.strerror or error}",
            place=str(file),
            rule="an output is written whole or not at all",
            mend="free some space, or name another place",
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def atomic_write_text(file: Path, text: str) -> None:
    """Write `text`, whole or not at all; raises as `atomic_path`."""
    with atomic_path(file) as temporary:
        temporary.write_text(text)


def atomic_write_bytes(file: Path, content: bytes) -> None:
    """Write `content`, whole or not at all; raises as `atomic_path`."""
    with atomic_path(file) as temporary:
        temporary.write_bytes(content)


def require_writable(file: Path) -> None:
    """Refuse an output that could not be written, before hours of work for it.

    Raises:
        OutputError: The folder does not exist or is not writable, or `file` is a folder or a device.
    """
    _refuse_what_is_no_file(file)
    rule = "an output goes to a folder that is there and writable"
    if not file.parent.is_dir():
        raise OutputError("its folder does not exist", place=str(file), rule=rule, mend=f"mkdir -p {file.parent}")
    if not os.access(file.parent, os.W_OK):
        raise OutputError("its folder is not writable", place=str(file), rule=rule, mend="name another place")


def _refuse_what_is_no_file(file: Path) -> None:
    """Taking the place of a device such as /dev/null would remove it."""
    rule = "an output is a file"
    if file.is_dir():
        raise OutputError("is a folder", place=str(file), rule=rule, mend=f"name a file in it: {file / 'NAME'}")
    if file.exists() and not file.is_file():
        raise OutputError("is a device or a pipe", place=str(file), rule=rule, mend="name another place")


def _flush(file: Path) -> None:
    with file.open("rb+") as handle:
        os.fsync(handle.fileno())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

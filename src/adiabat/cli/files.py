"""What the files that a command reads and writes must be to each other."""

from collections.abc import Mapping
from pathlib import Path

from adiabat.errors import OutputError
from adiabat.runs import require_writable


def require_outputs(outputs: Mapping[str, Path | None], *, inputs: Mapping[str, Path | None]) -> None:
    """Refuse, before any work, outputs that could not be written or would take the place of another file of the command.

    Args:
        outputs: By the option that names each; None where it was not given.
        inputs: By the option or argument that names each; None where it was not given.

    Raises:
        OutputError: Naming the first of them.
    """
    written = {option: file for option, file in outputs.items() if file is not None}
    for file in written.values():
        require_writable(file)
    require_kept(written, inputs)
    for option, file in written.items():
        for other, taken in written.items():
            if other != option and _same(file, taken):
                raise OutputError(
                    f"is the file of {option} and of {other}",
                    place=str(file),
                    rule="each output has a file of its own",
                    mend=f"name another file for {other}",
                )


def require_kept(outputs: Mapping[str, Path], inputs: Mapping[str, Path | None]) -> None:
    """Refuse outputs that would take the place of what is read; raises OutputError."""
    for option, file in outputs.items():
        for source, read in inputs.items():
            if read is not None and _same(file, read):
                raise OutputError(
                    f"is read as {source}, and {option} would take its place",
                    place=str(file),
                    rule="what is read is not written over",
                    mend=f"name another place for {option}",
                )


def made_folder(folder: Path, *, option: str) -> None:
    """Make a folder for outputs where it is missing.

    Raises:
        OutputError: It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot be made: {error.strerror}",
            place=f"{option} {folder}",
            rule="pictures go into a folder",
            mend="name another folder, or remove what is in its way",
        ) from error


def _same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve() or (one.exists() and other.exists() and one.samefile(other))

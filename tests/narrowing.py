"""What is there, where a type says that it might not be."""

from pathlib import Path
from typing import TypeVar

from ase import Atoms
from ase.io import read

T = TypeVar("T")


def present(value: T | None) -> T:
    """The value, which is not None."""
    assert value is not None
    return value


def read_one(file: Path | str) -> Atoms:
    """The last structure of a file."""
    atoms = read(file)
    assert isinstance(atoms, Atoms)
    return atoms


def read_all(file: Path | str, index: str = ":") -> list[Atoms]:
    """The structures of a file."""
    found = read(file, index)
    assert isinstance(found, list)
    return found

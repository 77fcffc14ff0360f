"""fingerprint: which data a potential or a split was made from."""

import hashlib
from collections.abc import Sequence

import numpy as np

from adiabat.system import Labelled

DECIMALS = 8
"""Positions and cells in Å, energies in eV, forces in eV/Å and stresses in eV/Å³ count to this many decimals."""


def fingerprint(structures: Sequence[Labelled]) -> str:
    """The SHA-256 (hexadecimal) of numbers, positions, cells, periodicity and labels, in order.

    Floating-point values are rounded to 8 decimals, so that another reader of the same file gives the same. Names
    (config_type, group, place) do not count; that of a level of theory does.
    """
    digest = hashlib.sha256()
    for structure in structures:
        atoms, labels = structure.atoms, structure.labels
        digest.update(len(atoms).to_bytes(8, "little"))
        digest.update(atoms.numbers.astype("<i8").tobytes())
        digest.update(atoms.pbc.astype("u1").tobytes())
        for values in (atoms.positions, atoms.cell.array, labels.energy, labels.forces, labels.stress):
            digest.update(b"-" if values is None else b"+" + _rounded(values))
        if labels.hessian is not None:
            digest.update(b"H" + _rounded(labels.hessian))
        if structure.level is not None:
            digest.update(b"L" + structure.level.encode())
    return digest.hexdigest()


def _rounded(values: object) -> bytes:
    """Little-endian doubles; adding zero makes -0 the same as 0."""
    return (np.round(np.asarray(values, dtype=np.float64), DECIMALS) + 0.0).astype("<f8").tobytes()

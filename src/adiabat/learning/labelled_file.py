"""Labelled structures as extended XYZ, under the keys by which they are read."""

from collections.abc import Sequence
from pathlib import Path

from ase import Atoms
from ase.io import write

from adiabat.errors import DataError
from adiabat.runs import atomic_path
from adiabat.system import Labelled


def write_labelled(structures: Sequence[Labelled], file: Path) -> None:
    """Write whole or not at all: REF_energy (eV), REF_forces (eV/Å), REF_stress (eV/Å³), config_type, group.

    Raises:
        DataError: There are none.
        OutputError: The file cannot be written.
    """
    if not structures:
        raise DataError(
            "there is no label to write",
            place=str(file),
            rule="a data set holds a structure",
            mend="see why labels failed",
        )
    with atomic_path(file) as temporary:
        write(temporary, [_with_keys(structure) for structure in structures], format="extxyz")


def _with_keys(structure: Labelled) -> Atoms:
    atoms, labels = structure.atoms.copy(), structure.labels
    stress = None if labels.stress is None else labels.stress.ravel()  # nine numbers, as other programs write it
    values = {"group": structure.group, "REF_energy": labels.energy, "REF_stress": stress}
    atoms.info = {"config_type": structure.config_type, **{k: v for k, v in values.items() if v is not None}}
    if labels.forces is not None:
        atoms.arrays["REF_forces"] = labels.forces
    return atoms

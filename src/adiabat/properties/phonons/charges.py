"""Effective charges and dielectric tensor: the long-ranged field of vibrating ions, which a short-ranged potential lacks."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from ase import Atoms

from adiabat.errors import DataError
from adiabat.properties.phonons.primitive import phonopy_cell, primitive_cell
from adiabat.typing import FloatArray
from adiabat.units import COULOMB_EV_ANGSTROM


@dataclass(frozen=True)
class EffectiveCharges:
    """What the non-analytic term of the dynamical matrix takes (X. Gonze and C. Lee, Phys. Rev. B 55, 10355 (1997)).

    Attributes:
        charges: (N, 3, 3) e, Born's effective charges of a primitive cell's atoms.
        dielectric: (3, 3) with the ions held.
    """

    charges: FloatArray
    dielectric: FloatArray

    @classmethod
    def read(cls, file: Path, rest: Atoms) -> Self:
        """From phonopy's format: a comment, the dielectric tensor, the charges of atoms that symmetry tells apart; nine numbers a line.

        Args:
            file: Usually called BORN.
            rest: The crystal; of its primitive cell the first atoms of each kind are those in the file, in its order and axes.

        Raises:
            DataError: The file is missing, or is not of this format or crystal.
        """
        from phonopy.file_IO import parse_BORN

        primitive = primitive_cell(rest)
        try:
            found: Any = parse_BORN(phonopy_cell(primitive), filename=file)
        except OSError as error:
            raise DataError(
                f"cannot be read: {error.strerror}",
                place=str(file),
                rule="charges are read from a file in phonopy's format BORN",
                mend="name a file that is there",
            ) from error
        except (RuntimeError, ValueError) as error:
            raise DataError(
                str(error),
                place=str(file),
                rule="a line that is not read, nine numbers of the dielectric tensor, and nine of the charge of each atom "
                f"of {primitive.get_chemical_formula()} that symmetry does not make another's",
                mend="see phonopy's format BORN",
            ) from error
        return cls(np.asarray(found["born"], dtype=np.float64), np.asarray(found["dielectric"], dtype=np.float64))

    def for_phonopy(self) -> Any:
        """As phonopy takes them."""
        return {"born": self.charges, "dielectric": self.dielectric, "factor": COULOMB_EV_ANGSTROM}

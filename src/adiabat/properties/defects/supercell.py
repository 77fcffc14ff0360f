"""Supercells that are large enough for a defect."""

import math
from collections.abc import Sequence

import numpy as np
from ase import Atoms

from adiabat.errors import StructureError
from adiabat.potential import Potential

LEAST_ANGSTROM = 10.0
"""Between a defect and its images, whatever the potential's reach."""


def repeats_for(crystal: Atoms, potential: Potential, given: Sequence[int] | None = None) -> tuple[int, int, int]:
    """How often a cell is repeated, so that a defect and its images have no neighbour in common.

    Args:
        crystal: Its cell.
        potential: By whose reach it is judged.
        given: Repeats to judge; None to choose them.

    Raises:
        StructureError: They are too few.
    """
    reach = potential.interaction_range
    needed = 2 * reach if math.isfinite(reach) else 0.0
    heights = 1 / np.linalg.norm(np.linalg.inv(crystal.cell.array), axis=0)
    least = np.ceil(max(needed, LEAST_ANGSTROM) / heights - 1e-9).astype(int)
    chosen = least if given is None else np.asarray(given, dtype=int)
    if chosen.shape != (3,) or (chosen < 1).any() or (heights * chosen).min() < needed - 1e-6:
        raise StructureError(
            f"images of a defect are {(heights * chosen).min():.2f} Å apart in {' x '.join(map(str, chosen.tolist()))} cells",
            place=f"defects of {crystal.get_chemical_formula()}",
            rule=f"the potential reaches {reach:g} Å: a defect and its image have neighbours in common below {needed:g} Å",
            mend=f"take {' x '.join(map(str, least.tolist()))} cells or more",
        )
    return int(chosen[0]), int(chosen[1]), int(chosen[2])

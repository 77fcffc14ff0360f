"""The structures with the atoms that a potential knows least, to look at."""

from collections.abc import Sequence

import numpy as np

from adiabat.evaluation.compare import Compared
from adiabat.results import StructureView
from adiabat.system import Labelled
from adiabat.typing import FloatArray

SHOWN = 4
STD_LABEL = "standard deviation of the force (eV/Å)"
DISTANCE_LABEL = "distance from the training data (1: typical of it)"


def least_known_views(compared: Sequence[Compared]) -> tuple[StructureView, ...]:
    """The structures with the least known atom first, all atoms coloured by how little is known of them.

    By the standard deviation of the force on an atom; by its distance from the training data where that was not predicted;
    none where there is neither.
    """
    by_std = [(one.structure, np.linalg.norm(one.std.forces, axis=1)) for one in compared if one.std.forces is not None]
    if by_std:
        return graded_views(by_std, STD_LABEL)
    return graded_views([(one.structure, one.distance) for one in compared if one.distance is not None], DISTANCE_LABEL)


def graded_views(graded: Sequence[tuple[Labelled, FloatArray]], label: str) -> tuple[StructureView, ...]:
    """The structures with the atom of the largest grade first, coloured by the grades (n,) of their atoms."""
    ranked = sorted(graded, key=lambda pair: -float(pair[1].max()))[:SHOWN]
    return tuple(
        StructureView(
            name=f"least-known-{rank}",
            title=f"{one.place} ({one.config_type}): {label} up to {grades.max():.3g}, atom {int(grades.argmax())}",
            atoms=one.atoms,
            values=grades,
            value_label=label,
        )
        for rank, (one, grades) in enumerate(ranked, 1)
    )

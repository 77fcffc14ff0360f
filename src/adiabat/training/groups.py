"""Structures that belong together, and which of them error bars are calibrated by."""

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from adiabat.config import Config
from adiabat.data import measure_distances
from adiabat.data.same import same_structures
from adiabat.system import Labelled


class CalibrationConfig(Config):
    """How error bars are calibrated.

    Attributes:
        structures: How many structures, about, are left out of the fit in turn, spread over the data; where structures belong
            together (a trajectory, duplicates) they are left out together.
        seed: Of the choice of these structures.
    """

    structures: int = Field(default=400, ge=20)
    seed: int = Field(default=0, ge=0)


def structures_together(structures: Sequence[Labelled], *, quiet: bool = False) -> list[list[int]]:
    """Indices of structures in groups: those that are the same, or of one trajectory or parent (`Labelled.group`)."""
    leader = list(range(len(structures)))

    def find(index: int) -> int:
        while leader[index] != index:
            leader[index] = index = leader[leader[index]]
        return index

    named: dict[str, int] = {}
    for index, structure in enumerate(structures):
        if structure.group is not None:
            leader[index] = find(named.setdefault(structure.group, index))
    for (first, _), *others in same_structures(structures, measure_distances(structures, quiet=quiet)):
        for other, _ in others:
            leader[find(other)] = find(first)
    groups: dict[int, list[int]] = {}
    for index in range(len(structures)):
        groups.setdefault(find(index), []).append(index)
    return list(groups.values())


def drawn_groups(groups: Sequence[list[int]], config: CalibrationConfig) -> list[list[int]]:
    """Groups drawn at random until they hold as many structures as are wanted; in their order."""
    drawn, count = list[int](), 0
    for place in np.random.default_rng(config.seed).permutation(len(groups)).tolist():
        if count >= config.structures:
            break
        drawn.append(place)
        count += len(groups[place])
    return [groups[place] for place in sorted(drawn)]

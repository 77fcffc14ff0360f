"""Radii of the short-range repulsion: where the learned functions end and the nuclei's take over."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement

from ase.data import chemical_symbols
from pydantic import Field

from adiabat.basis.radial import InnerCutoff
from adiabat.basis.specification import Pair
from adiabat.config import Config
from adiabat.data import contact_distance


class RepulsionConfig(Config):
    """Short-range repulsion, relative to the shortest distance of each pair of species in the data.

    Attributes:
        enabled: Whether a ZBL term is added. Without it nothing holds atoms apart beyond the data.
        outer_factor: ZBL ends at this many shortest distances.
        inner_factor: The learned radial functions are whole from this many shortest distances on.
        width_factor: They have vanished this many shortest distances further in.
    """

    enabled: bool = True
    outer_factor: float = Field(default=1.3, gt=1.0, le=3.0)
    inner_factor: float = Field(default=0.98, gt=0.3, le=1.0)
    width_factor: float = Field(default=0.3, gt=0.01, lt=0.9)


@dataclass(frozen=True)
class RepulsionRadii:
    """For every pair of species (ascending) the inner cutoff of the learned functions and the radii of the ZBL term.

    Attributes:
        inner: Of the learned radial functions.
        zbl: Å, (inner, outer).
        notes: What a user should know, among it the pairs that the data do not hold.
    """

    inner: dict[Pair, InnerCutoff]
    zbl: dict[Pair, tuple[float, float]]
    notes: tuple[str, ...]


def repulsion_radii(
    species: tuple[int, ...], shortest: Mapping[Pair, float], config: RepulsionConfig
) -> RepulsionRadii:
    """Radii from the shortest distances in the data; from atomic radii for pairs that never touch there.

    Args:
        species: Atomic numbers, ascending.
        shortest: Å, by pair.
        config: The factors.
    """
    inner, zbl, absent = {}, {}, []
    for low, high in combinations_with_replacement(species, 2):
        if (low, high) not in shortest:
            absent.append(f"{chemical_symbols[low]}-{chemical_symbols[high]}")
        distance = contact_distance((low, high), shortest)
        radius = config.inner_factor * distance
        inner[low, high] = InnerCutoff(radius, config.width_factor * distance)
        zbl[low, high] = (radius - config.width_factor * distance, config.outer_factor * distance)
    notes = (
        [f"no two atoms of {', '.join(absent)} come near each other in the data: radii from covalent ones"]
        if absent
        else []
    )
    return RepulsionRadii(inner, zbl, tuple(notes))

"""Radii of the short-range repulsion: where the learned functions end and the nuclei's take over."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement
from math import exp, log
from typing import Self, cast

import numpy as np
import torch
from ase.data import chemical_symbols
from pydantic import Field, PositiveInt
from scipy.optimize import brentq

from adiabat.basis.radial import InnerCutoff
from adiabat.basis.specification import Pair
from adiabat.config import Config
from adiabat.data import contact_distance
from adiabat.errors import ConfigurationError
from adiabat.physics import ZBL
from adiabat.physics.zbl import PairConstants, energy_below_outer, pair_constants

LARGEST_CHARGE_FACTOR = 10.0
"""Beyond it the stronger screening undoes what the larger charges bring."""


class RepulsionConfig(Config):
    """Short-range repulsion, relative to the shortest distance of each pair of species in the data.

    Attributes:
        enabled: Whether a ZBL term is added. Without it nothing holds atoms apart beyond the data.
        outer_factor: ZBL ends at this many shortest distances. None: 1.1; for molecules 0.95.
        inner_factor: The learned radial functions are whole from this many shortest distances on. None: 0.98; for molecules 0.85.
        width_factor: They have vanished this many shortest distances further in. None: 0.3; for molecules 0.25.
        wall_ev: What the repulsion of two atoms is at least where the learned functions have vanished. Nuclei that are too
            light, or atoms too large, for that get charges that are large enough.
        packings: Random packings that are relaxed each time that holes are looked for. None: 300.
    """

    enabled: bool = True
    outer_factor: float | None = Field(default=None, gt=0.5, le=3.0)
    inner_factor: float | None = Field(default=None, gt=0.3, le=1.0)
    width_factor: float | None = Field(default=None, gt=0.01, lt=0.9)
    wall_ev: float = Field(default=10.0, ge=0.0, le=100.0)
    packings: PositiveInt | None = None


@dataclass(frozen=True)
class Factors:
    """What a configuration leaves open, in shortest distances; the names are those of `RepulsionConfig`."""

    outer: float
    inner: float
    width: float

    def set_by(self, config: RepulsionConfig) -> Self:
        """With what the user set.

        Raises:
            ConfigurationError: No room is left for the repulsion.
        """
        chosen = {name: getattr(config, f"{name}_factor") for name in ("outer", "inner", "width")}
        found = replace(self, **{name: factor for name, factor in chosen.items() if factor is not None})
        if not 0 < found.inner - found.width < found.outer:
            raise ConfigurationError(
                f"the repulsion reaches from {found.inner - found.width:.3g} to {found.outer:.3g} shortest distances",
                place="repulsion",
                rule="it begins where the learned functions have vanished, at inner_factor - width_factor > 0, and ends beyond",
                mend="set outer_factor, inner_factor and width_factor together",
            )
        return found


SOLIDS = Factors(1.1, 0.98, 0.3)
"""A repulsion that ends at 1.3, among the bonds of silicon, had 9 % larger errors of forces on molybdenum, equal ones on silicon, and a third
derivative that jumped at silicon's bond. With 1.02 fits came near to holes four or five times instead of once, with the factors of
molecules ten times."""
MOLECULES = Factors(0.95, 0.85, 0.25)
"""Bonds of molecules are about as long as the shortest distances. A repulsion that ends among them is sharper than the learned
functions that have to undo it; and where a bond is a little shorter than all in the data, nothing may be switched off: on
acetylacetone either doubled the error of forces."""


@dataclass(frozen=True)
class RepulsionRadii:
    """For every pair of species (ascending) the inner cutoff of the learned functions and the radii of the ZBL term.

    Attributes:
        inner: Of the learned radial functions.
        zbl: The repulsion.
        notes: What a user should know, among it the pairs that the data do not hold.
    """

    inner: dict[Pair, InnerCutoff]
    zbl: ZBL
    notes: tuple[str, ...]


def repulsion_radii(
    species: tuple[int, ...], shortest: Mapping[Pair, float], config: RepulsionConfig, *, molecules: bool = False
) -> RepulsionRadii:
    """Radii from the shortest distances in the data; from atomic radii for pairs that never touch there.

    Args:
        species: Atomic numbers, ascending.
        shortest: Å, by pair.
        config: The factors.
        molecules: Whether no structure is periodic.

    Raises:
        ConfigurationError: The factors leave no room for the repulsion.
    """
    chosen = (MOLECULES if molecules else SOLIDS).set_by(config)
    inner, radii, factors, absent = {}, {}, {}, []
    for low, high in combinations_with_replacement(species, 2):
        if (low, high) not in shortest:
            absent.append(f"{chemical_symbols[low]}-{chemical_symbols[high]}")
        distance = contact_distance((low, high), shortest)
        radius, width = chosen.inner * distance, chosen.width * distance
        inner[low, high] = InnerCutoff(radius, width)
        radii[low, high] = (radius - width, chosen.outer * distance)
        factors[low, high] = _charge_factor((low, high), radii[low, high], config.wall_ev)
    larger = {pair: factor for pair, factor in factors.items() if factor > 1}
    zbl = ZBL(radii, larger)
    return RepulsionRadii(inner, zbl, (*_of_absent(absent), *_of_larger_charges(zbl, config.wall_ev)))


def _charge_factor(pair: Pair, radii: tuple[float, float], wall_ev: float) -> float:
    """The least from 1 on that makes the repulsion at the inner radius as high as the wall, or as high as it can be."""

    def missing_ev(logarithm: float) -> float:
        return wall_ev - _height_ev(pair_constants(pair, radii, exp(logarithm)))

    tried = np.linspace(0.0, log(LARGEST_CHARGE_FACTOR), 100)
    missing = np.array([missing_ev(logarithm) for logarithm in tried])
    if missing[0] <= 0:
        return 1.0
    if missing.min() > 0:
        return exp(tried[missing.argmin()])
    enough = int((missing <= 0).argmax())
    return exp(cast(float, brentq(missing_ev, tried[enough - 1], tried[enough])))


def _height_ev(constants: PairConstants) -> float:
    """Of the repulsion at its inner radius."""
    inner = torch.tensor(constants.inner, dtype=torch.float64)
    return float(energy_below_outer(inner, *map(torch.tensor, constants)))


def _of_absent(names: list[str]) -> list[str]:
    if not names:
        return []
    return [f"no two atoms of {', '.join(names)} come near each other in the data: radii from covalent ones"]


def _of_larger_charges(zbl: ZBL, wall_ev: float) -> list[str]:
    if not zbl.charge_factors:
        return []
    named = []
    for (low, high), factor in zbl.charge_factors.items():
        height_ev = _height_ev(zbl.pairs[low, high])
        reached = f" ({height_ev:.1f} eV)" if height_ev < 0.99 * wall_ev else ""
        named.append(f"{chemical_symbols[low]}-{chemical_symbols[high]} {factor:.3g}{reached}")
    return [f"repulsion: nuclei alone give no wall of {wall_ev:g} eV, charges are multiplied: {', '.join(named)}"]

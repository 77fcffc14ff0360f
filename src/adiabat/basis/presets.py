"""Which basis suits a data set: sizes by name, everything else from the species and how far apart the atoms stand."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from pydantic import Field

from adiabat.basis.mixing import chemical_channels
from adiabat.basis.products import Function, TotalDegree, coupled_products, invariant_functions
from adiabat.basis.radial import InnerCutoff
from adiabat.basis.specification import BasisSpecification, Pair
from adiabat.config import Config

Size = Literal["small", "medium", "large", "molecule"]
SIZES: tuple[Size, ...] = ("small", "medium", "large")
"""For any data. ``molecule`` is larger, and tells all species apart in all products."""


class BasisConfig(Config):
    """Which basis a potential is built on.

    Attributes:
        size: A preset. Accuracy and cost grow with it; too few data take a smaller one, and say so. None: large, or molecule
            where no structure is periodic.
        cutoff_angstrom: None: 1.9 nearest-neighbour distances of the data, between 5 and 8 Å.
        mixed_channels: Channels of the density in products of three and more factors, where there are more species. None: 2;
            in molecule as many as there are species.
    """

    size: Size | None = None
    cutoff_angstrom: float | None = Field(default=None, gt=0.5, le=20.0)
    mixed_channels: int | None = Field(default=None, ge=1, le=8)


@dataclass(frozen=True)
class Budget:
    """How many functions of one, two, three, four factors a preset has room for, and up to which l.

    The numbers of factors two and up are per species pair for products that tell all species apart.
    """

    functions: tuple[int, ...]
    l_limits: tuple[int, ...]
    mixed_channels: int | None = 2
    """None: a channel for each species."""


# Set by hand, for their cost; not yet chosen on left-out errors.
BUDGETS: dict[Size, Budget] = {
    "small": Budget((8, 45, 60), (0, 4, 3)),
    "medium": Budget((13, 140, 350, 160), (0, 5, 4, 2)),
    "large": Budget((15, 190, 900, 450), (0, 6, 5, 3)),
    "molecule": Budget((15, 150, 2300, 400), (0, 6, 5, 3), mixed_channels=None),
}


@dataclass(frozen=True)
class Environment:
    """What of a data set decides its basis.

    Attributes:
        species: Atomic numbers, ascending.
        nearest_neighbor_distance: Å, the median over atoms.
        shortest_distances: Å, by pair of species (ascending).
        molecules: Whether no structure is periodic.
    """

    species: tuple[int, ...]
    nearest_neighbor_distance: float
    shortest_distances: Mapping[Pair, float]
    molecules: bool = False

    def size(self, config: BasisConfig) -> Size:
        """The preset that is meant."""
        return config.size or ("molecule" if self.molecules else "large")


def default_cutoff(nearest_neighbor_distance: float) -> float:
    """Å: two to three shells of neighbours in solids, the second bond and beyond in molecules."""
    return float(np.clip(1.9 * nearest_neighbor_distance, 5.0, 8.0))


def choose_basis(
    config: BasisConfig, environment: Environment, inner: Mapping[Pair, InnerCutoff]
) -> BasisSpecification:
    """The basis of a preset.

    Args:
        config: Size and what the user set.
        environment: What of the data decides.
        inner: Where radial functions vanish at short distance, for every pair of species.
    """
    n_species = len(environment.species)
    budget = BUDGETS[environment.size(config)]
    mixed = config.mixed_channels or budget.mixed_channels or n_species
    mixing, channels = _channels(environment.species, mixed, len(budget.functions))
    degree = _largest_degree(budget, channels, n_species)
    functions = tuple(invariant_functions(degree, channels))
    n_max = 1 + max(factor[1] for function in functions for factor in function.factors)
    l_max = max(factor[2] for function in functions for factor in function.factors)
    products = tuple(
        coupled_products(list(functions), order, n_max=n_max, l_max=l_max)
        for order in range(1, len(budget.functions) + 1)
    )
    return BasisSpecification(
        species=environment.species,
        cutoff=config.cutoff_angstrom or default_cutoff(environment.nearest_neighbor_distance),
        inner=dict(inner),
        contraction=torch.eye(n_max, dtype=torch.float64).expand(l_max + 1, n_max, n_max).contiguous(),
        mixing=torch.from_numpy(mixing),
        functions=functions,
        degrees=torch.tensor([degree.of(function.factors) for function in functions], dtype=torch.float64),
        products=products,
    )


def _channels(species: tuple[int, ...], mixed: int, orders: int) -> tuple[np.ndarray, tuple[tuple[int, ...], ...]]:
    """The mixing matrix, and the channels that products of one, two, three ... factors use."""
    n_species = len(species)
    own = tuple(range(n_species))
    if n_species <= mixed:
        return np.eye(n_species), (own,) * orders
    mixing = np.concatenate([np.eye(n_species), chemical_channels(species, mixed)])
    shared = tuple(range(n_species, n_species + mixed))
    return mixing, (own, own, *(shared,) * (orders - 2))


def _largest_degree(budget: Budget, channels: tuple[tuple[int, ...], ...], n_species: int) -> TotalDegree:
    """For each number of factors the largest degree whose functions fit the budget."""
    limits: list[float] = []
    for order, room in enumerate(budget.functions, start=1):
        allowed = room * n_species if order == 1 else room * (n_species if order == 2 else 1)
        limit = 0
        while _count(order, limit + 1, budget.l_limits, channels) <= allowed:
            limit += 1
        limits.append(float(limit))
    return TotalDegree(tuple(limits), budget.l_limits)


def _count(order: int, limit: int, l_limits: tuple[int, ...], channels: tuple[tuple[int, ...], ...]) -> int:
    """Functions of one number of factors up to a degree."""
    limits = tuple(float(limit) if k == order else -1.0 for k in range(1, order + 1))
    functions: list[Function] = invariant_functions(TotalDegree(limits, l_limits), channels)
    return len(functions)

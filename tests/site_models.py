"""Atoms on springs, whose elements cost what their sites say: alloys whose statistics are known in closed form."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import torch
from ase import Atoms
from torch import Tensor

from adiabat.potential import Potential
from adiabat.system import Graph, PartState

LIGHT, HEAVY = 18, 36


@dataclass(frozen=True)
class SpringsAndSites:
    """½ k |x - x₀|² of each atom, and of an atom of `HEAVY` what its site costs; structures all have the same sites.

    Attributes:
        places: (N, 3) Å.
        costs: (N,) eV.
        stiffness: eV/Å².
    """

    places: Tensor
    costs: Tensor
    stiffness: float
    kind: ClassVar[str] = "test_springs_and_sites"

    @property
    def cutoff(self) -> float:
        return 1.0

    @property
    def interaction_range(self) -> float:
        return 1.0

    @property
    def species(self) -> tuple[int, ...]:
        return (LIGHT, HEAVY)

    def atomic_energies(self, graph: Graph) -> Tensor:
        batch = graph.batch
        away = batch.positions - self.places.repeat(batch.n_systems, 1)
        costs = self.costs.repeat(batch.n_systems)
        return 0.5 * self.stiffness * away.square().sum(1) + torch.where(batch.numbers == HEAVY, costs, 0.0)

    def to(self, **kwargs: Any) -> Self:
        return self

    def to_state(self) -> PartState:
        raise NotImplementedError


def on_sites(atoms: Atoms, costs: Sequence[float], stiffness: float = 2.0) -> Potential:
    """A potential whose springs hold these atoms where they stand."""
    return Potential([SpringsAndSites(torch.from_numpy(atoms.positions), torch.tensor(costs).double(), stiffness)])

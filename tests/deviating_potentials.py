"""The rare-gas potential, which knows nothing of its errors, with standard deviations that a test chooses."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import torch
from analytic_models import argon_and_krypton
from ase import Atoms
from torch import Tensor

from adiabat.potential import Potential, Prediction
from adiabat.system import Batch, EnergyModel, Graph, Storable
from adiabat.typing import Quantity

ENERGY_STD, FORCE_STD, STRESS_STD = 0.01, 0.05, 0.002
"""eV per atom, eV/Å, eV/Å³."""


def alike(graph: Graph) -> Tensor:
    """(N, 3) the same for every component."""
    return torch.full_like(graph.batch.positions, FORCE_STD)


@dataclass(frozen=True)
class Deviations:
    """Of the energy per atom, the forces of a graph, and each component of a stress."""

    energy: float = ENERGY_STD
    forces: Callable[[Graph], Tensor] = field(default=alike)
    stress: float = STRESS_STD


class Deviating(Potential):
    """Counts what it was asked for in `asked`."""

    def __init__(
        self,
        deviations: Deviations | None = None,
        *,
        more_parts: Sequence[EnergyModel] = (),
        attachments: Mapping[str, Storable] | None = None,
        typical: Mapping[str, float] | None = None,
    ) -> None:
        metadata = {} if typical is None else {"training": {"left_out_rmse": typical}}
        super().__init__([argon_and_krypton(), *more_parts], attachments=attachments, metadata=metadata)
        self.deviations = deviations or Deviations()
        self.asked: list[tuple[Quantity, ...]] = []

    def to(self, **kwargs: Any) -> Self:
        return self

    @property
    def has_uncertainty(self) -> bool:
        return True

    @property
    def known_deviations(self) -> tuple[Quantity, ...]:
        return ("energy_std", "forces_std", "stress_std")

    def __call__(
        self, structures: Batch | Graph | Atoms | Sequence[Atoms], *, want: Collection[Quantity] = ("energy", "forces")
    ) -> Prediction:
        self.asked.append(tuple(want))
        plain: list[Quantity] = [name for name in want if "_std" not in name]
        graph = self._graph(structures)
        found: dict[str, Any] = {
            "energy_std": self.deviations.energy * graph.batch.counts.to(graph.batch.positions),
            "forces_std": self.deviations.forces(graph),
            "stress_std": torch.full_like(graph.batch.cell, self.deviations.stress),
        }
        return replace(super().__call__(graph, want=plain), **{name: found[name] for name in want if "_std" in name})

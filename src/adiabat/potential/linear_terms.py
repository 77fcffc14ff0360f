"""The parts of a potential whose energies are linear in coefficients, side by side: one linear model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from adiabat.system import DesignRows, EnergyModel, Graph, LinearModel, is_exact


@dataclass(frozen=True, eq=False)
class LinearTerms:
    """Columns are those of one model after the other's: all coefficients of an expansion, those of the last layer of a network.

    Attributes:
        models: One or more, in float64 on the processor.
    """

    models: tuple[LinearModel, ...]

    @classmethod
    def of(cls, parts: Sequence[EnergyModel]) -> Self | None:
        """All parts that are not exact; None where one of them is not linear in anything, or there is none."""
        uncertain = [part for part in parts if not is_exact(part)]
        linear = [part for part in uncertain if isinstance(part, LinearModel)]
        if not linear or len(linear) < len(uncertain):
            return None
        return cls(tuple(model.to(dtype=torch.float64, device="cpu") for model in linear))

    @property
    def cutoff(self) -> float:
        """Å, the longest edge that a model needs."""
        return max(model.cutoff for model in self.models)

    @property
    def coefficients(self) -> Tensor:
        """(columns,) eV."""
        return torch.cat([model.coefficients.flatten() for model in self.models])

    def atom_rows(self, graph: Graph) -> Tensor:
        """(N, columns) rows whose product with the coefficients is each atom's energy, but for what does not depend on them."""
        with torch.no_grad():
            return torch.cat([_atom_rows(model, graph) for model in self.models], dim=1)

    def design_rows(self, graph: Graph) -> DesignRows:
        """Rows of energy, forces and virial; the features are those of `atom_rows`.

        Of several structures, features and force rows are those of each; energy and virial are of their sum.
        """
        found = [model.design_rows(graph) for model in self.models]
        features = [
            _in_own_columns(model, rows.features, graph) for model, rows in zip(self.models, found, strict=True)
        ]
        return DesignRows(
            torch.cat(features, dim=-1),
            torch.cat([rows.energy for rows in found], dim=-1),
            torch.cat([rows.forces for rows in found], dim=-1),
            torch.cat([rows.virial for rows in found], dim=-1),
        )

    def with_coefficients(self, parts: Sequence[EnergyModel], coefficients: Tensor) -> list[EnergyModel]:
        """The parts of a potential of which these terms are, with other coefficients (columns,)."""
        own = iter(coefficients.split([model.coefficients.numel() for model in self.models]))
        return [
            part.with_coefficients(next(own)) if isinstance(part, LinearModel) and not is_exact(part) else part
            for part in parts
        ]


def _atom_rows(model: LinearModel, graph: Graph) -> Tensor:
    return _in_own_columns(model, model.features(graph), graph)


def _in_own_columns(model: LinearModel, features: Tensor, graph: Graph) -> Tensor:
    """(N, columns): each atom's features in the columns of its species, where each species has its own."""
    n_species = len(model.coefficients)
    if n_species == 1:
        return features
    species = torch.searchsorted(torch.tensor(model.species), graph.batch.numbers)
    rows = features.new_zeros(len(features), n_species, features.shape[1])
    rows[torch.arange(len(features)), species] = features
    return rows.flatten(1)

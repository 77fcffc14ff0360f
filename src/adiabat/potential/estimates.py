"""Standard deviations of energies by a few directions of coefficients: for every step of a simulation."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import torch
from torch import Tensor

from adiabat.potential.compiled_committee import CompiledProjection
from adiabat.potential.deviations import RowDeviations
from adiabat.potential.linear_terms import LinearTerms
from adiabat.potential.prediction import Prediction
from adiabat.potential.terms import Terms
from adiabat.system import Graph, Storable
from adiabat.typing import Quantity
from adiabat.uncertainty import Calibration, Projection


@dataclass(frozen=True, eq=False)
class EstimatedDeviations:
    """A sum of parts, and beside its energies an estimate of how sure they are.

    Attributes:
        terms: The sum.
        model: Its parts that are not exact.
        projection: Of the covariance of the model's coefficients, as energies have it.
        calibration: Of energies.
    """

    terms: Terms
    model: LinearTerms
    projection: Projection
    calibration: Calibration

    @classmethod
    def of(cls, terms: Terms, deviations: RowDeviations | None, attachments: Mapping[str, Storable]) -> Self | None:
        """From what is attached; None where that says nothing of it."""
        projections = [part for part in attachments.values() if isinstance(part, Projection)]
        if deviations is None or len(projections) != 1:
            return None
        return cls(terms, deviations.model, projections[0], deviations.uncertainty.spread.calibration)

    @property
    def names(self) -> tuple[Quantity, ...]:
        """What there is."""
        return ("energy_std_estimate", "energies_std_estimate")

    def __call__(self, graph: Graph, want: Collection[Quantity], names: Collection[Quantity]) -> Prediction:
        """What the sum says, with estimates of these names.

        Errors as of `derivatives.predict`.

        Args:
            graph: Edges at least as long as the cutoff.
            want: No standard deviation.
            names: Of estimates.
        """
        found, values = self._evaluated(graph, want)
        batch = graph.batch.to(dtype=torch.float64, device="cpu")
        estimates: dict[str, Tensor] = {}
        if "energies_std_estimate" in names:
            estimates["energies_std_estimate"] = self._std(values)
        if "energy_std_estimate" in names:
            means = batch.sum_over_atoms(values) / batch.counts[:, None]
            estimates["energy_std_estimate"] = self._std(means) * batch.counts
        return replace(found, **{name: value.to(graph.batch.positions) for name, value in estimates.items()})

    def _evaluated(self, graph: Graph, want: Collection[Quantity]) -> tuple[Prediction, Tensor]:
        """What the sum says, and the directions' values (N, directions)."""
        if self._compiled is not None and self._compiled.serves(graph):
            return self._compiled.predict(graph, want)
        double = graph.on(graph.batch.to(dtype=torch.float64, device="cpu"))
        return self.terms(graph, want), self.model.atom_rows(double) @ self.projection.directions.T

    def _std(self, values: Tensor) -> Tensor:
        """(n,) eV per atom, of the directions' values (n, directions)."""
        root, floor = self.calibration.root["energy"], self.calibration.floor["energy"]
        length = torch.linalg.vector_norm(values, dim=1)
        return (length * (length + root * self.projection.posterior_share**0.5) + floor**2).sqrt()

    @cached_property
    def _compiled(self) -> CompiledProjection | None:
        if len(self.model.models) != 1:
            return None
        [model] = self.model.models
        species = len(model.coefficients)
        directions = self.projection.directions
        return CompiledProjection.of(self.terms.parts, directions.reshape(len(directions), species, -1))

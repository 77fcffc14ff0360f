"""Standard deviations of a potential's predictions, from its learned part's posterior and spread."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self, get_args

import numpy as np
import torch
from torch import Tensor

from adiabat.potential.derivatives import defined_volume
from adiabat.potential.linear_terms import LinearTerms
from adiabat.potential.terms import Members
from adiabat.system import Batch, DesignRows, EnergyModel, Graph, Storable
from adiabat.typing import Quantity
from adiabat.uncertainty import Calibration, CommitteeSpread, LinearPosterior, LinearUncertainty, Spread

VOIGT = ((0, 1, 2, 1, 0, 0), (0, 1, 2, 2, 2, 1))
FULL = ((0, 5, 4), (5, 1, 3), (4, 3, 2))
SUFFIX = "_std"
ESTIMATE = "_std_estimate"
KINDS: dict[Quantity, str] = {"energy": "energy", "energies": "energy", "forces": "forces", "stress": "stress"}
"""The kind of label by which a quantity is calibrated."""


def is_deviation(name: str) -> bool:
    """Whether a quantity is a standard deviation."""
    return SUFFIX in name


def is_estimate(name: str) -> bool:
    """Whether a quantity is a standard deviation that is estimated at little cost."""
    return name.endswith(ESTIMATE)


def _quantity(name: Quantity) -> Quantity:
    """What a standard deviation is of."""
    return next(quantity for quantity in KINDS if quantity == name.partition(SUFFIX)[0])


@dataclass(frozen=True, eq=False)
class RowDeviations:
    """Exact, from the rows of the design matrix: some ten times the time of energies and forces or more.

    Attributes:
        model: What was learned, in float64 on the processor.
        uncertainty: Of its coefficients.
    """

    model: LinearTerms
    uncertainty: LinearUncertainty

    @property
    def names(self) -> tuple[Quantity, ...]:
        """What there is: of a quantity without labels in the training there is no calibration."""
        calibrated = self.uncertainty.spread.calibration.scale
        exact = (name for name in get_args(Quantity) if is_deviation(name) and not is_estimate(name))
        return tuple(name for name in exact if KINDS[_quantity(name)] in calibrated)

    @classmethod
    def of(cls, parts: Sequence[EnergyModel], attachments: Mapping[str, Storable]) -> Self | None:
        """What the attachments say of the parts that are not exact; None where they say nothing of them."""
        posteriors = [part for part in attachments.values() if isinstance(part, LinearPosterior)]
        spreads = [part for part in attachments.values() if isinstance(part, Spread)]
        if (len(posteriors), len(spreads)) != (1, 1):
            return None
        model = LinearTerms.of(parts)
        if model is None or len(model.coefficients) != len(posteriors[0].mean):
            return None
        return cls(model, LinearUncertainty(posteriors[0], spreads[0]))

    def __call__(self, graph: Graph, names: Collection[Quantity]) -> dict[str, Tensor]:
        """The standard deviations of these names.

        Raises:
            PropertyUnavailable: Of a stress that is not defined.
        """
        batch = graph.batch
        double = graph.on(batch.to(dtype=torch.float64, device="cpu"))
        found: dict[str, Tensor] = {}
        for quantity in KINDS:
            wanted = {name: name.partition(SUFFIX)[2] for name in names if _quantity(name) == quantity}
            if wanted:
                parametric, misfit = self._variances(double, quantity)
                variances = {"_parametric": parametric, "_misfit": misfit, "": parametric + misfit}
                found |= {name: variances[part].sqrt().to(batch.positions) for name, part in wanted.items()}
        return found

    def _variances(self, graph: Graph, quantity: Quantity) -> tuple[Tensor, Tensor]:
        """Parametric and misfit variance of a quantity, in its shape."""
        batch, kind = graph.batch, KINDS[quantity]
        if quantity == "energies":
            return self.uncertainty.variances(self.model.atom_rows(graph), kind)
        if quantity == "energy":
            rows = batch.sum_over_atoms(self.model.atom_rows(graph)) / batch.counts[:, None]
            parametric, misfit = self.uncertainty.variances(rows, kind)
            return parametric * batch.counts**2, misfit * batch.counts**2
        if quantity == "forces":
            parametric, misfit = self.uncertainty.variances(self.model.design_rows(graph).forces, kind)
            return parametric.reshape(-1, 3), misfit.reshape(-1, 3)
        volume = defined_volume(batch)
        rows = torch.cat([_voigt(found) for found in self._one_by_one(graph)]) / volume.repeat_interleave(6)[:, None]
        parametric, misfit = self.uncertainty.variances(rows, kind)
        return parametric.reshape(-1, 6)[:, FULL], misfit.reshape(-1, 6)[:, FULL]

    def _one_by_one(self, graph: Graph) -> Iterator[DesignRows]:
        return (self.model.design_rows(own) for own in graph.one_by_one())


@dataclass(frozen=True, eq=False)
class SpreadDeviations:
    """From the spread of a committee's members about their mean; calibrated, where they were trained together.

    Attributes:
        members: All of them.
        calibration: Of their variances; None: they are taken as they are.
    """

    members: Members
    calibration: Calibration | None = None

    @classmethod
    def of(cls, members: Members, attachments: Mapping[str, Storable]) -> Self:
        """With the calibration that is attached, if one is."""
        spreads = [part for part in attachments.values() if isinstance(part, CommitteeSpread)]
        return cls(members, spreads[0].calibration if len(spreads) == 1 else None)

    @property
    def names(self) -> tuple[Quantity, ...]:
        """What there is: a spread does not tell parametric and misfit apart."""
        plain = (name for name in get_args(Quantity) if name.endswith(SUFFIX))
        known = None if self.calibration is None else self.calibration.scale
        return tuple(name for name in plain if known is None or KINDS[_quantity(name)] in known)

    def __call__(self, graph: Graph, names: Collection[Quantity]) -> dict[str, Tensor]:
        """The standard deviations of these names.

        Raises:
            PropertyUnavailable: Of a stress that is not defined.
        """
        quantities: dict[str, Quantity] = {name: _quantity(name) for name in names}
        found = self.members.each(graph, set(quantities.values()))
        std = {
            name: torch.stack([getattr(one, quantity) for one in found]).std(0) for name, quantity in quantities.items()
        }
        return {name: self._calibrated(value, quantities[name], graph.batch) for name, value in std.items()}

    def _calibrated(self, std: Tensor, quantity: Quantity, batch: Batch) -> Tensor:
        if self.calibration is None:
            return std
        atoms = batch.counts if quantity == "energy" else torch.ones(1, dtype=torch.long, device=std.device)
        variance = (std / atoms).square().double().cpu().numpy()
        misfit = self.calibration.misfit(variance, np.zeros_like(variance), KINDS[quantity])
        return torch.from_numpy(np.sqrt(misfit)).to(std) * atoms


def _voigt(rows: DesignRows) -> Tensor:
    """(6, columns)."""
    return rows.virial[VOIGT]

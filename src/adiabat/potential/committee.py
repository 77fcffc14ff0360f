"""Committees: several potentials of equal right, or drawn from what one potential does not know."""

from collections.abc import Collection, Sequence
from typing import Self

import torch
from ase import Atoms

from adiabat.errors import ConfigurationError, PropertyUnavailable
from adiabat.models import Mean
from adiabat.potential.deviations import is_deviation
from adiabat.potential.potential import Potential
from adiabat.potential.prediction import Prediction
from adiabat.potential.terms import members_of
from adiabat.system import Batch, Graph
from adiabat.typing import Quantity
from adiabat.uncertainty import CommitteeSpread, Part

SPREAD = "committee_spread"
"""The name under which the calibration of a committee is attached."""


class Committee(Potential):
    """The mean of its members; its standard deviations are their spread about it, calibrated where they were trained together.

    Args:
        potentials: Two or more, of one floating-point type, on one device.
        spread: How their spread goes with errors; None: it is taken as it is.

    Attributes:
        members: The potentials.
        stretch: By how much farther apart members ought to stand.

    Raises:
        ConfigurationError: Fewer than two, or of different types or devices.
    """

    def __init__(self, potentials: Sequence[Potential], *, spread: CommitteeSpread | None = None) -> None:
        self.members = tuple(potentials)
        self._spread = spread
        self.stretch = 1.0 if spread is None else spread.stretch
        kinds = {(member.dtype, member.device) for member in self.members}
        if len(kinds) > 1:
            raise ConfigurationError(
                f"the members are {' and '.join(f'{dtype} on {device}' for dtype, device in kinds)}",
                place="committee",
                rule="the members of a committee are of one type, on one device",
                mend="member.to(dtype=..., device=...)",
            )
        mean = Mean(tuple(member.parts for member in self.members))
        first = self.members[0]
        super().__init__(
            [mean],
            attachments={} if spread is None else {SPREAD: spread},
            metadata={"members": [member.metadata for member in self.members]},
            canaries=first.canaries,
            dtype=first.dtype,
            device=first.device,
        )

    def to(self, *, dtype: torch.dtype | None = None, device: torch.device | str | None = None) -> Self:
        """The same committee in another floating-point type or on another device."""
        return type(self)([member.to(dtype=dtype, device=device) for member in self.members], spread=self._spread)

    def each(
        self, structures: Batch | Graph | Atoms | Sequence[Atoms], *, want: Collection[Quantity] = ("energy", "forces")
    ) -> tuple[Prediction, ...]:
        """What each member says; arguments and errors as of a potential, standard deviations aside."""
        _require_values(want)
        self._require_available(want)
        graph = self._graph(structures)
        self._require_known(graph.batch)
        members = self._terms.members
        assert members is not None  # its one part is a mean
        return members.each(graph, want)


def _require_values(want: Collection[Quantity]) -> None:
    deviations = [name for name in want if is_deviation(name)]
    if deviations:
        raise PropertyUnavailable(
            f"'{deviations[0]}' was asked for of each member",
            rule="the members of a committee do not know how sure they are; their spread does",
            mend="ask the committee itself",
        )


def own_committee(potential: Potential) -> Committee | None:
    """The members of a potential that is one, such as one that was loaded from a file; None of any other."""
    if isinstance(potential, Committee):
        return potential
    members = members_of(potential.parts)
    if members is None:
        return None
    spread = potential.attachments.get(SPREAD)
    return Committee(
        [
            Potential(parts, canaries=potential.canaries, dtype=potential.dtype, device=potential.device)
            for parts in members
        ],
        spread=spread if isinstance(spread, CommitteeSpread) else None,
    )


def drawn_committee(potential: Potential, part: Part, size: int, seed: int) -> Committee:
    """Members whose coefficients are drawn; see `Potential.committee`."""
    deviations = potential.linear_deviations
    if deviations is None:
        raise PropertyUnavailable(
            "members were to be drawn from a committee",
            rule="members are drawn from a posterior of coefficients",
            mend="use the committee's own members",
        )
    drawn = deviations.uncertainty.coefficients(part, size, seed)
    return Committee(
        [
            Potential(
                deviations.model.with_coefficients(potential.parts, coefficients),
                metadata={"member_of": potential.metadata, "part": part, "seed": seed, "number": number},
                canaries=potential.canaries,
                dtype=potential.dtype,
                device=potential.device,
            )
            for number, coefficients in enumerate(drawn)
        ]
    )

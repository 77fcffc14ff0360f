"""Measured: the result of a property with the standard deviation of each of its numbers."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np

from adiabat.potential import Potential
from adiabat.properties.estimate import Estimate, unit_of
from adiabat.properties.parts import require_members_known
from adiabat.properties.propagate import Propagated, numbers_of, propagate
from adiabat.results import IN_MEMORY, Figure, Page, Result, StructureView, Table, plain
from adiabat.typing import FloatArray

R = TypeVar("R", bound=Result)

WITHOUT_POSTERIOR = "the potential does not know how sure it is, so that no number has an error bar"
NOT_ASKED_FOR = "error bars were not asked for"
LONGEST_PRINTED = 12
"""Numbers of an array that are printed where there are no error bars."""


@dataclass(frozen=True)
class Measured(Result, Generic[R]):
    """A property of a potential.

    Its JSON holds the fields of the result and, beside each number, ``<name>_std`` and its two parts, ``<name>_std_parametric``
    and ``<name>_std_misfit``: null where they are not known.

    Attributes:
        result: What the potential itself gives.
        error_bars: What its committees make of it; None where there are none.
        remark: Why there are none; or from how many members they are.
    """

    result: R
    error_bars: Propagated | None = field(metadata=IN_MEMORY)
    remark: str

    def std(self, name: str) -> float | FloatArray | None:
        """The standard deviation of a field; None where it is not known."""
        return None if self.error_bars is None else self.error_bars[name].std

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        values = self.result.to_dict()
        written: dict[str, Any] = {}
        numbers = self._numbers()
        for name, value in values.items():
            written[name] = value
            if name in numbers:
                estimate = None if self.error_bars is None else self.error_bars[name]
                for part in ("std", "std_parametric", "std_misfit"):
                    written[f"{name}_{part}"] = None if estimate is None else plain(getattr(estimate, part))
        members = None if self.error_bars is None else self.error_bars.members
        failures = [] if self.error_bars is None else list(self.error_bars.failures)
        return written | {"members": members, "members_left_out": failures, "error_bars": self.remark}

    def lines(self, names: Collection[str] | None = None) -> list[str]:
        """For a person: each number (of those fields that are named) with its error bar and unit, and what is to be known of these."""
        said: list[str] = []
        for name in (name for name in self._numbers() if names is None or name in names):
            value = getattr(self.result, name)
            if self.error_bars is not None:
                said += self.error_bars[name].lines(name)
            elif isinstance(value, float):
                said.append(f"{name}: {value:.6g} {unit_of(name)}".rstrip())
            elif value.size <= LONGEST_PRINTED:
                numbers = ", ".join(f"{number:.6g}" for number in value.ravel())
                said.append(f"{name}: {numbers} {unit_of(name)}".rstrip())
        failures = () if self.error_bars is None else self.error_bars.failures
        return [*said, self.remark, *(f"left out: {failure}" for failure in failures)]

    def estimate(self, name: str) -> Estimate | None:
        """A field with its error bar; None where there is none."""
        return None if self.error_bars is None else self.error_bars[name]

    def _numbers(self) -> list[str]:
        """Names of the fields that have an error bar, or would."""
        return list(numbers_of(self.result)) if self.error_bars is None else list(self.error_bars.estimates)


def measured(
    property: Callable[[Potential], R],
    potential: Potential,
    *,
    members: int | None = None,
    seed: int | None = None,
    error_bars: bool = True,
    quiet: bool = False,
) -> Measured[R]:
    """A property with its error bars, where the potential knows how sure it is.

    Args:
        property: Of a potential.
        potential: Any.
        members: For each part of the uncertainty, as `propagate` takes them.
        seed: Likewise.
        error_bars: Whether they are wanted; they take as long as the property of each member.
        quiet: Show no progress.

    Raises:
        ConfigurationError: Members of a potential that does not know how sure it is.
        AdiabatError: As the property and `propagate`.
    """
    require_members_known(potential, members)
    if not error_bars or not potential.has_uncertainty:
        return Measured(property(potential), None, WITHOUT_POSTERIOR if error_bars else NOT_ASKED_FOR)
    own: list[R] = []

    def kept(member: Potential) -> R:
        value = property(member)
        if member is potential:
            own.append(value)
        return value

    found = propagate(kept, potential, members=members, seed=seed, quiet=quiet)
    sure = f"each part from {found.members} members: error bars are known to {found.std_relative_error:.0%}"
    return Measured(own[0], found, sure)


def number_table(found: Measured[R], *, title: str) -> Table:
    """Single numbers and short lists of them, with error bars and units."""
    rows: list[tuple[str | float | int | None, ...]] = []
    for name, value in numbers_of(found.result).items():
        estimate = found.estimate(name)
        if value.size > LONGEST_PRINTED:
            continue
        for place in np.ndindex(value.shape):
            label = name + (str(list(place)) if place else "")
            parts = (
                (None, None, None) if estimate is None else (estimate.std, estimate.std_parametric, estimate.std_misfit)
            )
            bars = (None if part is None else float(np.asarray(part)[place]) for part in parts)
            rows.append((label, float(value[place]), *bars, unit_of(name)))
    return Table("numbers", title, ("quantity", "value", "std", "parametric", "misfit", "unit"), tuple(rows))


def property_page(
    found: Measured[R],
    *,
    title: str,
    tables: Sequence[Table] = (),
    figures: Sequence[Figure] = (),
    structures: Sequence[StructureView] = (),
    details: Mapping[str, str] | None = None,
) -> Page:
    """The report of a property: what is to be known first, then its numbers, tables and plots."""
    left_out = (
        () if found.error_bars is None else tuple(f"left out: {failure}" for failure in found.error_bars.failures)
    )
    return Page(
        title=title,
        summary=(found.remark[0].upper() + found.remark[1:] + ".", *left_out),
        tables=(number_table(found, title="Numbers"), *tables),
        figures=tuple(figures),
        structures=tuple(structures),
        details=dict(details or {}),
    )

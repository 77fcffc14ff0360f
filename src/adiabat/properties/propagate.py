"""propagate: any property of a potential, with the uncertainty that the potential's own carries into it."""

import dataclasses
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from adiabat.errors import AdiabatError, SimulationError
from adiabat.potential import Committee, Potential
from adiabat.properties.estimate import Estimate, unit_of
from adiabat.properties.fixed_structures import FixedStructures, PropertyValue
from adiabat.properties.parts import committees_by_part
from adiabat.results import Result
from adiabat.runs import track
from adiabat.typing import FloatArray

MOST_FAILURES = 1 / 8
"""Of the members of a part; beyond, the members that are left are not those that were drawn."""
SAMPLING_SUFFIXES = ("_std_sampling", "_std")
"""A field of this name holds the standard error of the field without the suffix."""
SINGLE = "value"
"""The name of a property that is one number or one array."""
EXPECTED = (AdiabatError, ArithmeticError, np.linalg.LinAlgError)
"""By which a property may fail for a member without being wrong itself."""

Values = dict[str, FloatArray]


@dataclass(frozen=True)
class Propagated(Result):
    """A property with its error bars.

    Attributes:
        estimates: By name of the property's fields.
        members: Potentials for each part of the uncertainty.
        failures: The members for which the property could not be had, and why; they are left out.
        std_relative_error: The standard error of each standard deviation, relative to it, for it is taken from so many
            members.
    """

    estimates: Mapping[str, Estimate]
    members: int
    failures: tuple[str, ...]
    std_relative_error: float

    def __getitem__(self, name: str) -> Estimate:
        """One field of the property.

        Raises:
            KeyError: The property has no such field.
        """
        return self.estimates[name]

    def lines(self) -> list[str]:
        """For a person."""
        said = [line for name, estimate in self.estimates.items() for line in estimate.lines(name)]
        said.append(f"each part from {self.members} members: error bars are known to {self.std_relative_error:.0%}")
        return said + [f"left out: {failure}" for failure in self.failures]

    def __str__(self) -> str:
        """All lines."""
        return "\n".join(self.lines())


def propagate(
    property: Callable[[Potential], PropertyValue],
    potential: Potential,
    *,
    members: int | None = None,
    seed: int | None = None,
    quiet: bool = False,
) -> Propagated:
    """Run a property for the potential and for members of its committees.

    A standard deviation is the root mean square of what members give less what the potential gives, so that a bias that the
    members have in common counts as error. Where the property samples (its result has a field `<name>_std_sampling` or
    `<name>_std`), members differ by their sampling too, and the deviation is an upper bound: prefer `trajectory_average`.

    Args:
        property: Of a potential: a result (a frozen dataclass), a mapping by name, an array or a number. What is not a real
            number or an array of them is not propagated, nor is a field with the metadata `EXACT`. `FixedStructures` are evaluated for all members at once.
        potential: With a posterior; or a `Committee`, whose own members are taken: its parts are not told apart.
        members: To be drawn for each part of the uncertainty, 16 by default. A `Committee` has its own.
        seed: By which they are drawn, 0 by default. Likewise.
        quiet: Show no progress.

    Raises:
        ConfigurationError: Too few members; members or a seed for a `Committee`.
        PropertyUnavailable: The potential has no posterior.
        SimulationError: The property fails for more than an eighth of the members, or holds no number.
        AdiabatError: What the property has against the potential itself.
    """
    committees = committees_by_part(potential, members, seed)
    size = max(len(committee.members) for committee in committees.values())
    values, sampling = _split(numbers_of(property(potential)))
    spreads: dict[str, Values] = {}
    failures: list[str] = []
    for part, committee in committees.items():
        spreads[part], failed = _spread(property, committee, values, part, quiet=quiet)
        failures += failed
    estimates = {
        name: _estimate(name, value, {part: spread[name] for part, spread in spreads.items()}, sampling.get(name))
        for name, value in values.items()
    }
    return Propagated(estimates, size, tuple(failures), 1 / math.sqrt(2 * size))


def _spread(
    property: Callable[[Potential], PropertyValue], committee: Committee, values: Values, part: str, *, quiet: bool
) -> tuple[Values, list[str]]:
    """Root mean squares of what the members of a part give less `values`, stretched as the committee says, and who failed."""
    size = len(committee.members)
    squares: dict[str, list[FloatArray]] = {name: [] for name in values}
    failed: list[str] = []
    for place, run in track(enumerate(_runs(property, committee)), f"{part} members", total=size, quiet=quiet):
        try:
            member = _checked(_split(numbers_of(run()))[0], values)
        except EXPECTED as error:
            failed.append(f"{part} member {place}: {type(error).__name__}: {error}")
            continue
        for name, value in values.items():
            squares[name].append((member[name] - value) ** 2)
    if len(failed) > MOST_FAILURES * size:
        raise SimulationError(
            f"the property fails for {len(failed)} of {size} {part} members; the first: {failed[0]}",
            place="propagate",
            rule=f"at most {MOST_FAILURES:.0%} of the members may fail, for an error bar leaves them out",
            mend="the potential does not know enough of these structures: train it on some like them",
        )
    return {name: committee.stretch * np.sqrt(np.mean(each, axis=0)) for name, each in squares.items()}, failed


def _runs(
    property: Callable[[Potential], PropertyValue], committee: Committee
) -> Iterator[Callable[[], PropertyValue]]:
    """The property of each member, to be asked for."""
    if isinstance(property, FixedStructures):
        for prediction in committee.each(property.structures, want=property.want):
            yield lambda prediction=prediction: property.finish(prediction)
    else:
        for member in committee.members:
            yield lambda member=member: property(member)


def numbers_of(value: PropertyValue) -> Values:
    """The real numbers of a property by name: those that have an error bar.

    Raises:
        SimulationError: There are none.
    """
    numbers = {name: np.asarray(item, dtype=np.float64) for name, item in _items(value) if _is_real(item)}
    if not numbers:
        raise SimulationError(
            f"the property gives a {type(value).__name__} without a number",
            place="propagate",
            rule="a property gives numbers: a float, an array, a mapping or a frozen dataclass of them",
            mend="return what is to have an error bar",
        )
    return numbers


def _items(value: PropertyValue) -> Iterable[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return value.items()
    if dataclasses.is_dataclass(value):
        return [
            (field.name, getattr(value, field.name))
            for field in dataclasses.fields(value)
            if not (field.metadata.get("exact") or field.metadata.get("in_memory"))
        ]
    return [(SINGLE, value)]


def _is_real(item: Any) -> bool:
    """Whether it is a float or an array of them; integers count something, and have no error bar."""
    return isinstance(item, float | np.ndarray) and np.asarray(item).dtype.kind == "f"


def _split(numbers: Values) -> tuple[Values, Values]:
    """Values, and standard errors by the name of what they belong to."""
    errors = {
        name: name.removesuffix(suffix)
        for suffix in reversed(SAMPLING_SUFFIXES)
        for name in numbers
        if name.endswith(suffix) and name.removesuffix(suffix) in numbers
    }
    values = {name: item for name, item in numbers.items() if name not in errors}
    return values, {owner: numbers[name] for name, owner in errors.items()}


def _checked(member: Values, values: Values) -> Values:
    """What a member gives, if it is of the same kind as what the potential gives.

    Raises:
        SimulationError: It is not.
    """
    for name, value in values.items():
        found = member.get(name)
        if found is None or found.shape != value.shape:
            raise SimulationError(
                f"'{name}' is {'missing' if found is None else f'of the shape {found.shape}'}",
                rule=f"members give what the potential gives: {value.shape}",
                mend="let the property return the same fields and shapes for every potential",
            )
        if not np.isfinite(found).all():
            raise SimulationError(
                f"'{name}' is not finite",
                rule="a property is a finite number",
                mend="see what the property makes of this member",
            )
    return member


def _estimate(name: str, value: FloatArray, spreads: Mapping[str, FloatArray], sampling: FloatArray | None) -> Estimate:
    total = np.sqrt(sum(np.square(spread) for spread in spreads.values()))
    return Estimate(
        value=_plain(value),
        std=_plain(total),
        std_parametric=_plain(spreads["parametric"]) if "parametric" in spreads else None,
        std_misfit=_plain(spreads["misfit"]) if "misfit" in spreads else None,
        std_sampling=None if sampling is None else _plain(sampling),
        unit=unit_of(name),
    )


def _plain(array: FloatArray) -> float | FloatArray:
    return array if np.ndim(array) else float(array)

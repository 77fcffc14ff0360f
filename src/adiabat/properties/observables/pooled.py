"""Pooled: what several replicas of one system say together."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np

from adiabat.errors import ConfigurationError
from adiabat.properties.observables.analysis import Analysis
from adiabat.properties.observables.means import enlarged
from adiabat.properties.observables.observable import with_error
from adiabat.results import Page, Result, Table
from adiabat.typing import FloatArray

FEWEST_BY_SCATTER = 3
ERROR = "_std"


@dataclass(frozen=True)
class PooledQuantity:
    """A mean over replicas, each with the same weight.

    Attributes:
        value: A number, or an array of them.
        value_std: Its standard error: from those of the replicas where each knows its own, else from their scatter; None where there
            are fewer than three replicas and no errors.
    """

    value: float | FloatArray
    value_std: float | FloatArray | None


@dataclass(frozen=True)
class PooledAnalysis(Result):
    """Observables of several replicas together.

    Attributes:
        quantities: By observable and field, such as "rdf.pairs.Si-Si.peak_height": all that has an error bar.
        replicas: Each by itself, by the name of its folder.
        refused: Why an observable could not be read off the replicas, by its name.
    """

    quantities: dict[str, PooledQuantity]
    replicas: dict[str, Analysis]
    refused: dict[str, str]

    def sentences(self) -> tuple[str, ...]:
        """How many there are, and each number."""
        first = next(iter(self.replicas.values()))
        about = (
            f"{len(self.replicas)} replicas of {first.atoms:,} atoms, {first.duration_ps:.4g} ps of {first.ensemble} each; "
            "means over them, with standard errors:"
        )
        return (about, *(f"{name}: {said}" for name, said in self._numbers()))

    def page(self, *, title: str, details: Mapping[str, str] | None = None) -> Page:
        """As a report: the numbers, and the figures of the first replica."""
        first = next(iter(self.replicas.values()))
        table = Table(
            "pooled", "Means over the replicas", ("quantity", "value ± standard error"), tuple(self._numbers())
        )
        figures = tuple(figure for one in first.observables.values() for figure in one.figures())
        said = (*self.sentences()[:1], *self.refused.values(), "Figures: of the first replica.")
        return Page(title=title, summary=said, tables=(table,), figures=figures, details=dict(details or {}))

    def _numbers(self) -> list[tuple[str, str]]:
        return [
            (name, with_error(one.value, one.value_std))
            for name, one in self.quantities.items()
            if isinstance(one.value, float) and not isinstance(one.value_std, np.ndarray)
        ]


def pooled(analyses: Mapping[str, Analysis]) -> PooledAnalysis:
    """Means over replicas of all that has an error bar.

    Args:
        analyses: By replica: of the same observables, of as many atoms in the same ensemble.

    Raises:
        ConfigurationError: They are not of one system in one ensemble.
    """
    each = list(analyses.values())
    kinds = {(one.atoms, str(one.ensemble)) for one in each}
    if len(kinds) > 1:
        raise ConfigurationError(
            f"are of {'; '.join(f'{atoms} atoms, {ensemble}' for atoms, ensemble in sorted(kinds))}",
            place=", ".join(analyses),
            rule="replicas that are pooled are of one system in one ensemble",
            mend="analyse each by itself: name its folder",
        )
    found: dict[str, list[tuple[Any, Any]]] = {}
    for one in each:
        for path, value, error in _with_errors(one.observables, ""):
            found.setdefault(path, []).append((value, error))
    quantities = {path: _mean(pairs) for path, pairs in found.items() if len(pairs) == len(each)}
    refused = {name: why for one in each for name, why in one.refused.items()}
    return PooledAnalysis(quantities, dict(analyses), refused)


def _with_errors(owner: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    """All fields that have an error bar beside them, in whatever holds them."""
    values = (
        owner if isinstance(owner, Mapping) else {field.name: getattr(owner, field.name) for field in fields(owner)}
    )
    for name, value in values.items():
        here = f"{path}.{name}" if path else str(name)
        if isinstance(value, float | np.ndarray) and f"{name}{ERROR}" in values:
            yield here, value, values[f"{name}{ERROR}"]
        elif isinstance(value, Mapping) or (is_dataclass(value) and not isinstance(value, type)):
            yield from _with_errors(value, here)


def _mean(pairs: Sequence[tuple[Any, Any]]) -> PooledQuantity:
    values = np.array([value for value, _ in pairs], dtype=float)
    errors = [error for _, error in pairs]
    mean, count = values.mean(axis=0), len(values)
    std: Any = None
    if all(error is not None and bool(np.isfinite(error).all()) for error in errors):
        std = np.sqrt(np.square(np.array(errors, dtype=float)).sum(axis=0)) / count
    elif count >= FEWEST_BY_SCATTER:
        std = enlarged(count - 1) * values.std(axis=0, ddof=1) / math.sqrt(count)
    if mean.ndim:
        return PooledQuantity(mean, std)
    return PooledQuantity(float(mean), None if std is None else float(std))

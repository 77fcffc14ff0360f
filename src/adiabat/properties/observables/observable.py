"""Observable: the base of what is read off a trajectory."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from adiabat.properties.estimate import decimals_of
from adiabat.results import Figure, Result


@dataclass(frozen=True)
class Observable(Result, ABC):
    """Numbers with error bars, with plots as data and sentences for a person."""

    @abstractmethod
    def figures(self) -> tuple[Figure, ...]:
        """What is to be seen of it."""

    @abstractmethod
    def sentences(self) -> tuple[str, ...]:
        """What is to be said of it, each number with its error bar and unit."""


def with_error(value: float, error: float | None, unit: str = "") -> str:
    """``1.23 ± 0.04 unit``: as many decimals as the error bar deserves."""
    after = f" {unit}" if unit else ""
    if error is None or not error > 0:
        known = "" if error == 0 else " (error bar not known: too short)"
        return f"{value:.4g}{after}{known}"
    if abs(value) >= 1e5 or max(abs(value), error) < 1e-3:
        return f"({value:.3e} ± {error:.1e}){after}"
    decimals = decimals_of(error)
    return f"{value:.{decimals}f} ± {error:.{decimals}f}{after}"

"""What the pages on matter in motion share: quantities beside what is known of them, and means over parts of runs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from adiabat.simulate.statistics import standard_error


@dataclass(frozen=True)
class Line:
    """A quantity, what was found, what it is to be compared with; and whether it is as it is to be, where that is checked."""

    what: str
    found: str
    known: str
    passed: bool | None = None


@dataclass(frozen=True)
class Quantities:
    """A page: its title, what it is about, its lines, the names of its pictures."""

    title: str
    about: str
    lines: Sequence[Line]
    pictures: Sequence[str] = ()


def page(quantities: Quantities, machine: str) -> str:
    """As Markdown."""
    verdict = {None: "", True: " (holds)", False: " (**does not hold**)"}
    rows = [f"| {line.what} | {line.found} | {line.known}{verdict[line.passed]} |" for line in quantities.lines]
    pictures = [f"![{name.replace('_', ' ')}](images/{name}.png)" for name in quantities.pictures]
    about = [f"# {quantities.title}", "", quantities.about, ""]
    table = ["| quantity | here ± standard error | beside |", "| --- | --- | --- |", *rows, ""]
    return "\n".join([*about, *table, *pictures, "", *(f"    {line}" for line in machine.splitlines())]) + "\n"


def means(series: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Of each series its mean and the standard error of that; raises ValueError where one is too short to tell."""
    errors = [standard_error(one) for one in series]
    if any(error is None for error in errors):
        raise ValueError("a series is too short for an error bar")
    return np.array([one.mean() for one in series]), np.array(errors, dtype=float)


def straight_line(x: np.ndarray, y: np.ndarray, y_std: np.ndarray) -> tuple[float, float]:
    """The slope by weighted least squares, and its standard error."""
    weights = y_std**-2
    centered = x - np.average(x, weights=weights)
    curvature = float(weights @ centered**2)
    return float((weights * centered) @ y) / curvature, curvature**-0.5

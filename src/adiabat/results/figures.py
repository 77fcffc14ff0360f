"""Plots as data: what a result shows, without saying who draws it."""

from dataclasses import dataclass, field
from typing import Literal

from ase import Atoms

from adiabat.typing import FloatArray


@dataclass(frozen=True)
class Points:
    """Points in the plane, each with an optional text that is shown when it is pointed at."""

    x: FloatArray
    y: FloatArray
    name: str
    texts: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Line:
    """A line through points; `band` is a half-width around it, in the units of y."""

    x: FloatArray
    y: FloatArray
    name: str
    band: FloatArray | None = None
    dashed: bool = False


@dataclass(frozen=True)
class Bars:
    """Bars between edges (a histogram's bins), or at named places."""

    edges: FloatArray
    heights: FloatArray
    name: str


Mark = Points | Line | Bars


@dataclass(frozen=True)
class Figure:
    """A plot as data.

    Attributes:
        name: A short identifier, unique within a report.
        title: What it shows.
        x_label: With its unit.
        y_label: With its unit.
        marks: What is drawn, first to last.
        x_scale: Linear or logarithmic.
        y_scale: Linear or logarithmic.
        note: A sentence that stands under the plot: what was left out, what a line means.
        equal_axes: Whether one unit is equally long on both axes (parity plots).
    """

    name: str
    title: str
    x_label: str
    y_label: str
    marks: tuple[Mark, ...]
    x_scale: Literal["linear", "log"] = "linear"
    y_scale: Literal["linear", "log"] = "linear"
    note: str = ""
    equal_axes: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of text and numbers under headings."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | float | int | None, ...], ...]


@dataclass(frozen=True)
class StructureView:
    """A structure to look at, in three dimensions; `values` colours its atoms."""

    name: str
    title: str
    atoms: Atoms
    values: FloatArray | None = None
    value_label: str = ""


@dataclass(frozen=True)
class Page:
    """What a report holds: a title, a few sentences, tables, plots and structures, in this order."""

    title: str
    summary: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    figures: tuple[Figure, ...] = ()
    structures: tuple[StructureView, ...] = ()
    details: dict[str, str] = field(default_factory=dict)

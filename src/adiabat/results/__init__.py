"""The base of all results: JSON, and plots as data."""

from adiabat.results.base import IN_MEMORY, Result, plain
from adiabat.results.figures import Bars, Figure, Line, Mark, Page, Points, StructureView, Table

__all__ = ["IN_MEMORY", "Bars", "Figure", "Line", "Mark", "Page", "Points", "Result", "StructureView", "Table", "plain"]

"""The base of all results: JSON, and plots as data."""

from adiabat.results.base import EXACT, IN_MEMORY, Result, plain
from adiabat.results.figures import Bars, Figure, Line, Mark, Page, Points, StructureView, Table

__all__ = [
    "EXACT",
    "IN_MEMORY",
    "Bars",
    "Figure",
    "Line",
    "Mark",
    "Page",
    "Points",
    "Result",
    "StructureView",
    "Table",
    "plain",
]

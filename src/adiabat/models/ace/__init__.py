"""The atomic cluster expansion: the readable reference."""

from adiabat.models.ace.linear import LinearACE
from adiabat.models.ace.rows import RowBuilder

__all__ = ["LinearACE", "RowBuilder"]

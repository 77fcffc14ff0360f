"""Numbers in tables: as many digits as mean something, alike within a column."""

from collections.abc import Sequence

import numpy as np

Cell = str | float | int | None

WIDEST_RANGE = 1e5
"""Between the largest and smallest magnitude of a column, above which each number has its own digits."""
ABSENT = "–"


def column_texts(cells: Sequence[Cell]) -> list[str]:
    """The texts of one column; a typical float has three significant digits, and none that is not zero shows as zero."""
    magnitudes = np.array([abs(cell) for cell in cells if isinstance(cell, float) and np.isfinite(cell) and cell != 0])
    decimals = None
    if len(magnitudes) and magnitudes.max() < WIDEST_RANGE * magnitudes.min():
        decimals = int(np.clip(2 - np.floor(np.log10(np.median(magnitudes))), 0, 8))
    return [_text(cell, decimals) for cell in cells]


def is_numeric(cells: Sequence[Cell]) -> bool:
    """Whether a column holds numbers and gaps, and no text."""
    return len(cells) > 0 and not any(isinstance(cell, str) for cell in cells)


def _text(cell: Cell, decimals: int | None) -> str:
    if cell is None:
        return ABSENT
    if isinstance(cell, str):
        return cell
    if isinstance(cell, int):
        return f"{cell:,}"
    if decimals is None or not np.isfinite(cell):
        return f"{cell:.3g}"
    text = f"{cell:,.{decimals}f}"
    return text if float(text.replace(",", "")) != 0 or cell == 0 else f"{cell:.2g}"

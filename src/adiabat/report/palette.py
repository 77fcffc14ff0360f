"""Colours and symbols that everyone can tell apart, on screen and in print.

The colours are those of M. Okabe and K. Ito, "Color Universal Design" (2008), without the yellow, which is illegible on white.
"""

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#4D4D4D")
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "x")
GUIDE = "#7A828C"
"""For dashed lines: they guide the eye and belong to no series."""


def series_style(index: int) -> tuple[str, str]:
    """Colour and symbol of the series with this number; the symbol changes when the colours are used up."""
    return COLOURS[index % len(COLOURS)], SYMBOLS[(index // len(COLOURS)) % len(SYMBOLS)]

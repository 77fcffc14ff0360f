"""write_image: one figure as a picture, for papers and slides."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adiabat.errors import OutputError
from adiabat.report.palette import GUIDE, series_style
from adiabat.report.plots import BAND_ALPHA, MOST_MARKED, bar_limits
from adiabat.report.thinning import MOST_POINTS
from adiabat.results import Bars, Figure, Line, Points
from adiabat.runs import atomic_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

FORMATS = (".png", ".svg", ".pdf")
SIZE_INCHES = (5.6, 4.0)
SQUARE_INCHES = (4.6, 4.6)
DOTS_PER_INCH = 200
MARKERS = {"circle": "o", "diamond": "D", "square": "s", "triangle-up": "^", "cross": "P", "x": "X"}
INK, SOFT, GRID = "#1F2933", "#9AA5B1", "#E4E7EB"
STYLE: dict[str, Any] = {
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": SOFT,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": GRID,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "text.parse_math": False,
    "svg.hashsalt": "adiabat",
}


def write_image(figure: Figure, file: Path) -> None:
    """Write a figure as PNG, SVG or PDF, by the file's suffix, whole or not at all.

    Raises:
        OutputError: Another suffix, or the file cannot be written.
    """
    if file.suffix.lower() not in FORMATS:
        raise OutputError(
            f"has the suffix '{file.suffix}'",
            place=str(file),
            rule=f"a picture is one of {', '.join(FORMATS)}",
            mend="give it such a suffix",
        )
    import matplotlib as mpl
    from matplotlib.figure import Figure as Canvas

    with mpl.rc_context(STYLE):  # pyright: ignore[reportArgumentType] (the stubs list the keys one by one)
        canvas = Canvas(figsize=SQUARE_INCHES if figure.equal_axes else SIZE_INCHES, layout="constrained")
        _draw(figure, canvas.add_subplot())
        with atomic_path(file) as temporary:
            canvas.savefig(temporary, format=file.suffix.lower().removeprefix("."), dpi=DOTS_PER_INCH)


def _draw(figure: Figure, axes: "Axes") -> None:
    series = 0
    for mark in figure.marks:
        colour, symbol = series_style(series)
        if isinstance(mark, Points):
            _points(mark, axes, colour, symbol)
        elif isinstance(mark, Bars):
            _bars(mark, axes, colour)
        else:
            _line(mark, axes, colour)
        series += not (isinstance(mark, Line) and mark.dashed)
    axes.set(title=figure.title, xlabel=figure.x_label, ylabel=figure.y_label)
    axes.set(xscale=figure.x_scale, yscale=figure.y_scale)
    if limits := bar_limits(figure):
        axes.set_ylim(*limits)
    for axis, scale in ((axes.xaxis, figure.x_scale), (axes.yaxis, figure.y_scale)):
        if scale == "log":
            _label_decades(axis)
    axes.grid(visible=True, linewidth=0.6)
    if figure.equal_axes:
        axes.set_aspect("equal", adjustable="datalim")
    if series > 1:
        axes.legend()


def _label_decades(axis: "Axis") -> None:
    """Plain numbers at the decades, and between them where there are few."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    low, high = axis.get_view_interval()
    decades = math.log10(high / low)
    between = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0) if decades < 1 else (1.0, 2.0, 5.0) if decades < 3 else (1.0,)
    axis.set_major_locator(LogLocator(subs=between))
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(NullFormatter())


def _points(mark: Points, axes: "Axes", colour: str, symbol: str) -> None:
    """All of them; many become a bitmap within a vector file, which would otherwise not open."""
    many = len(mark.x) > MOST_POINTS
    style = {"linestyle": "none", "marker": MARKERS[symbol], "markersize": 4, "markeredgewidth": 0}
    axes.plot(mark.x, mark.y, color=colour, alpha=0.6, label=mark.name, rasterized=many, **style)


def _line(mark: Line, axes: "Axes", colour: str) -> None:
    if mark.band is not None:
        around = GUIDE if mark.dashed else colour
        axes.fill_between(mark.x, mark.y - mark.band, mark.y + mark.band, color=around, alpha=BAND_ALPHA, linewidth=0)
    if mark.dashed:
        axes.plot(mark.x, mark.y, color=GUIDE, linewidth=1.2, linestyle="--")
        return
    marker = "o" if len(mark.x) <= MOST_MARKED else "none"
    axes.plot(mark.x, mark.y, color=colour, linewidth=1.8, marker=marker, markersize=4.5, label=mark.name)


def _bars(mark: Bars, axes: "Axes", colour: str) -> None:
    if len(mark.edges) == len(mark.heights):
        axes.bar(mark.edges, mark.heights, color=colour, label=mark.name)
    else:
        widths = mark.edges[1:] - mark.edges[:-1]
        axes.bar(mark.edges[:-1], mark.heights, widths, align="edge", color=colour, alpha=0.85, label=mark.name)

"""Accuracy against cost as a picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from matplotlib.transforms import Bbox

from adiabat.report.image import STYLE
from adiabat.report.palette import COLOURS, GUIDE
from adiabat.runs import atomic_path
from rivals.catalogue import Entry
from rivals.row import Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation

OWN_FAMILY = "adiabat"
EDGE = 0.02
"""Height of the marks of speed alone, of the axes'."""
REACH = 14
"""Half of what a mark covers, in pixels."""
Place = tuple[int, int, str, str]
PLACES: tuple[Place, ...] = (
    (7, 0, "left", "center"),
    (0, 7, "center", "bottom"),
    (0, -7, "center", "top"),
    (-7, 0, "right", "center"),
    (6, 6, "left", "bottom"),
    (-6, -6, "right", "top"),
    (6, -6, "left", "top"),
    (-6, 6, "right", "bottom"),
)
"""Where a label may stand: points from its mark, and how it is aligned there."""


def draw(rows: Sequence[Row], file: Path) -> None:
    """Force error against µs per atom, both logarithmic; who has no error of its own stands on the lower edge."""
    with mpl.rc_context(STYLE):  # pyright: ignore[reportArgumentType] (the stubs list the keys one by one)
        canvas = Figure(figsize=(7.2, 4.8), dpi=200, layout="constrained")
        axes = canvas.add_subplot()
        axes.set(xscale="log", yscale="log", title="Silicon, one core: force error against the cost of a step")
        axes.set(xlabel="µs per atom and step of dynamics", ylabel="force MAE on the test set, eV/Å")
        axes.grid(visible=True, which="major", linewidth=0.5)
        families = list(dict.fromkeys(row.entry.family for row in rows))
        marks = [mark for row in rows if (mark := mark_of(row, COLOURS[families.index(row.entry.family)]))]
        join(axes, marks)
        show(axes, marks)
        axes.margins(x=0.08, y=0.1)
        for axis, steps in ((axes.xaxis, (1,)), (axes.yaxis, (1, 1.5, 2, 3, 4, 5, 6, 7, 8))):
            axis.set_major_locator(LogLocator(subs=steps))
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axis.set_minor_formatter(NullFormatter())
        canvas.draw_without_rendering()
        name(axes, marks)
        with atomic_path(file) as path:
            canvas.savefig(path, format="png")


@dataclass(frozen=True)
class Mark:
    """A row's place in the picture; without a height it stands on the lower edge."""

    entry: Entry
    colour: str
    x: float
    y: float | None


def mark_of(row: Row, colour: str) -> Mark | None:
    """None for one that was not timed, or should have an error and has none."""
    if row.speed is None or (row.entry.accuracy and row.force_mae is None):
        return None
    return Mark(row.entry, colour, row.speed, row.force_mae if row.entry.accuracy else None)


def join(axes: "Axes", marks: Sequence[Mark]) -> None:
    """Curves through what a family offers in one precision."""
    for family, precision in dict.fromkeys((mark.entry.family, mark.entry.precision) for mark in marks):
        members = [m for m in marks if (m.entry.family, m.entry.precision) == (family, precision)]
        heights = [m.y for m in members if m.y is not None]
        if len(heights) == len(members):
            ours = family == OWN_FAMILY
            width, alpha = (2.0, 1.0) if ours else (1.0, 0.6)
            axes.plot([m.x for m in members], heights, color=members[0].colour, lw=width, alpha=alpha)


def show(axes: "Axes", marks: Sequence[Mark]) -> None:
    """The marks, filled in double precision, hollow in single precision; triangles on the edge for speed alone."""
    edge = axes.get_xaxis_transform()
    for mark in marks:
        face = mark.colour if mark.entry.precision == "float64" else "white"
        look = {"markersize": 7, "markerfacecolor": face, "markeredgecolor": mark.colour, "linestyle": "none"}
        if mark.y is None:
            axes.plot(mark.x, EDGE, marker="^", transform=edge, clip_on=False, **look)
        else:
            axes.plot(mark.x, mark.y, marker="o", **look)
    for face, text in ((GUIDE, "float64"), ("white", "float32")):
        axes.plot([], [], "o", markerfacecolor=face, markeredgecolor=GUIDE, label=text)
    if any(mark.y is None for mark in marks):
        axes.plot([], [], "^", color=GUIDE, label="speed alone")
    axes.legend(loc="best")


def name(axes: "Axes", marks: Sequence[Mark]) -> None:
    """Write each label once, beside its mark, where it covers the fewest marks and labels."""
    taken = [Bbox.from_bounds(x - REACH, y - REACH, 2 * REACH, 2 * REACH) for x, y in (spot(axes, m) for m in marks)]
    first = {mark.entry.label: mark for mark in reversed(marks)}
    for mark in reversed(first.values()):
        tries = [label(axes, mark, place) for place in PLACES]
        boxes = [text.get_window_extent() for text in tries]
        best = min(range(len(tries)), key=lambda k: (boxes[k].count_overlaps(taken) + outside(axes, boxes[k]), k))
        taken.append(boxes[best])
        for k, text in enumerate(tries):
            if k != best:
                text.remove()


def outside(axes: "Axes", box: Bbox) -> bool:
    """Whether a label would be cut."""
    whole = axes.get_window_extent()
    return not (whole.x0 <= box.x0 and box.x1 <= whole.x1 and whole.y0 <= box.y0 and box.y1 <= whole.y1)


def spot(axes: "Axes", mark: Mark) -> tuple[float, float]:
    """Where the mark stands, in pixels."""
    if mark.y is None:
        x, y = axes.get_xaxis_transform().transform((mark.x, EDGE))
    else:
        x, y = axes.transData.transform((mark.x, mark.y))
    return float(x), float(y)


def label(axes: "Axes", mark: Mark, place: Place) -> "Annotation":
    """A mark's label in one of its places."""
    right, up, horizontal, vertical = place
    text = axes.annotate(
        mark.entry.label,
        spot(axes, mark),
        xycoords="figure pixels",
        xytext=(right, up),
        textcoords="offset points",
        ha=horizontal,
        va=vertical,
        fontsize=9,
        color=mark.colour,
    )
    text.set_in_layout(False)
    return text

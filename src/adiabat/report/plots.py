"""Figures as plotly's traces and layouts: plain values that become JSON."""

from html import escape
from textwrap import wrap
from typing import Any

import numpy as np

from adiabat.report.palette import GUIDE, series_style
from adiabat.report.thinning import drawable, thinned
from adiabat.results import Bars, Figure, Line, Mark, Points, plain
from adiabat.typing import FloatArray

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
INK, GRID = "#1F2933", "#E4E7EB"
BAND_ALPHA = 0.18
MOST_MARKED = 30
"""Points of a line that are marked: few are measurements, many are a curve."""
LONGEST_LABEL = 40
"""Characters of an axis label, beyond which it goes on in a second line: plots may be narrow."""
LOG_TICKS = 4
"""Asked of a logarithmic axis; with more, plotly labels each digit of a decade, and the labels run into each other."""
CROWD = 500
"""Points of a series, from which on they are drawn small and more transparent."""


def shown(text: str) -> str:
    """A text so that plotly shows it as it is: it reads some tags, and three entities."""
    return escape(text, quote=False)


def plot(figure: Figure) -> dict[str, Any]:
    """`data` and `layout` for ``Plotly.newPlot``; every text in them is escaped, for plotly reads some tags."""
    traces, series = [], 0
    for mark in figure.marks:
        colour, symbol = series_style(series)
        traces += _traces(mark, figure, colour, symbol)
        series += not _is_guide(mark)
    return {"data": plain(traces), "layout": _layout(figure, several=series > 1)}


def drawing_notes(figure: Figure) -> list[str]:
    """Sentences on what a figure holds and its drawing does not show."""
    logs = {"x_log": figure.x_scale == "log", "y_log": figure.y_scale == "log"}
    curves = [mark for mark in figure.marks if not isinstance(mark, Bars)]
    homeless = sum(int((~drawable(mark.x, mark.y, **logs)).sum()) for mark in curves)
    notes = [f"Values without a place on these axes: {homeless:,}."] if homeless else []
    clouds = [mark for mark in curves if isinstance(mark, Points)]
    exist = sum(int(drawable(mark.x, mark.y, **logs).sum()) for mark in clouds)
    drawn = sum(len(thinned(mark, **logs)) for mark in clouds)
    if drawn < exist:
        notes.append(
            f"{drawn:,} of {exist:,} points are drawn: where many lie in one cell of a fine grid, one of them."
        )
    return notes


def _is_guide(mark: Mark) -> bool:
    return isinstance(mark, Line) and mark.dashed


def _traces(mark: Mark, figure: Figure, colour: str, symbol: str) -> list[dict[str, Any]]:
    if isinstance(mark, Points):
        return [_points(mark, figure, colour, symbol)]
    if isinstance(mark, Line):
        return [*_band(mark, GUIDE if mark.dashed else colour), _line(mark, colour)]
    return [_bars(mark, colour)]


def _points(mark: Points, figure: Figure, colour: str, symbol: str) -> dict[str, Any]:
    kept = thinned(mark, x_log=figure.x_scale == "log", y_log=figure.y_scale == "log")
    look = {"size": 4.5, "opacity": 0.5} if len(kept) > CROWD else {"size": 6.5, "opacity": 0.75}
    trace = {
        "type": "scatter",
        "mode": "markers",
        "name": shown(mark.name),
        "x": _short(mark.x[kept]),
        "y": _short(mark.y[kept]),
        "marker": {"color": colour, "symbol": symbol} | look,
        "hovertemplate": "%{x:.5~g}, %{y:.5~g}<extra></extra>",
    }
    if mark.texts is not None:
        trace["text"] = [shown(mark.texts[index]) for index in kept]
        trace["hovertemplate"] = "%{text}<br>%{x:.5~g}, %{y:.5~g}<extra></extra>"
    return trace


def _line(mark: Line, colour: str) -> dict[str, Any]:
    line = {"color": GUIDE, "width": 1.5, "dash": "dash"} if mark.dashed else {"color": colour, "width": 2.5}
    measured = len(mark.x) <= MOST_MARKED and not mark.dashed
    return {
        "type": "scatter",
        "mode": "lines+markers" if measured else "lines",
        "name": shown(mark.name),
        "x": _short(mark.x),
        "y": _short(mark.y),
        "line": line,
        "marker": {"color": colour, "size": 7},
        "showlegend": not mark.dashed,
        "hoverinfo": "skip" if mark.dashed else "x+y+name",
    }


def _band(mark: Line, colour: str) -> list[dict[str, Any]]:
    if mark.band is None:
        return []
    outline = np.concatenate([mark.y + mark.band, (mark.y - mark.band)[::-1]])
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "x": _short(np.concatenate([mark.x, mark.x[::-1]])),
            "y": _short(outline),
            "fill": "toself",
            "fillcolor": _transparent(colour),
            "line": {"width": 0},
            "showlegend": False,
            "hoverinfo": "skip",
        }
    ]


def _bars(mark: Bars, colour: str) -> dict[str, Any]:
    trace = {"type": "bar", "name": shown(mark.name), "y": _short(mark.heights), "marker": {"color": colour}}
    if len(mark.edges) == len(mark.heights):
        return trace | {"x": _short(mark.edges), "hovertemplate": "%{x:.4~g}: %{y:,}<extra></extra>"}
    low, high = mark.edges[:-1], mark.edges[1:]
    return trace | {
        "x": _short((low + high) / 2),
        "width": _short(high - low),
        "customdata": np.stack([low, high], axis=1),
        "opacity": 0.85,
        "hovertemplate": "%{customdata[0]:.4~g} to %{customdata[1]:.4~g}: %{y:,}<extra></extra>",
    }


def _layout(figure: Figure, *, several: bool) -> dict[str, Any]:
    layout = {
        "font": {"family": FONT, "size": 13, "color": INK},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "#FFFFFF",
        "margin": {"l": 64, "r": 16, "t": 8, "b": 52},
        "xaxis": _axis(figure.x_label, figure.x_scale),
        "yaxis": _axis(figure.y_label, figure.y_scale),
        "showlegend": several,
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": 1.02,
            "yanchor": "bottom",
            "font": {"size": 12},
            "itemsizing": "constant",
        },
        "hovermode": "closest",
        "barmode": "overlay",
        "bargap": 0,
        "dragmode": "zoom",
    }
    if figure.equal_axes:
        layout["yaxis"] |= {"scaleanchor": "x", "scaleratio": 1}
    if limits := bar_limits(figure):
        layout["yaxis"]["range"] = [float(np.log10(limit)) for limit in limits]
    return layout


def bar_limits(figure: Figure) -> tuple[float, float] | None:
    """Of a logarithmic axis with bars on it: the shortest must still be seen. None for other figures."""
    bars = [mark for mark in figure.marks if isinstance(mark, Bars)]
    heights = [height for mark in bars for height in mark.heights.tolist() if height > 0]
    return (0.5 * min(heights), 1.6 * max(heights)) if heights and figure.y_scale == "log" else None


def _axis(label: str, scale: str) -> dict[str, Any]:
    axis = {
        "title": {"text": "<br>".join(shown(line) for line in wrap(label, LONGEST_LABEL)), "standoff": 8},
        "type": scale,
        "gridcolor": GRID,
        "zeroline": False,
        "showline": True,
        "linecolor": "#9AA5B1",
        "ticks": "outside",
        "tickcolor": "#9AA5B1",
        "ticklen": 4,
        "automargin": True,
    }
    return axis | ({"tickformat": "~g", "nticks": LOG_TICKS} if scale == "log" else {})


def _short(values: FloatArray) -> list[float | None]:
    """Six significant digits: more than a screen shows, and half the bytes."""
    return [float(f"{value:.6g}") for value in values.tolist()]


def _transparent(colour: str) -> str:
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},{BAND_ALPHA})"

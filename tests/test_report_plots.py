"""Figures as plotly's values: what is drawn, what is left out, and that it is said."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adiabat.report.palette import COLOURS, series_style
from adiabat.report.plots import drawing_notes, plot
from adiabat.report.thinning import MOST_POINTS, thinned
from adiabat.results import Bars, Figure, Line, Mark, Points
from adiabat.typing import FloatArray


def figure_of(*marks: Mark, y_scale: str = "linear", equal_axes: bool = False) -> Figure:
    assert y_scale in ("linear", "log")
    return Figure("f", "title", "x (Å)", "y (eV)", marks, y_scale=y_scale, equal_axes=equal_axes)


def cloud(n: int, seed: int = 0) -> FloatArray:
    return np.random.default_rng(seed).normal(size=n)


def test_few_points_are_all_drawn_with_their_texts() -> None:
    points = Points(np.array([1.0, 2.0]), np.array([3.0, 4.0]), "data", texts=("first", "second"))
    [trace] = plot(figure_of(points))["data"]
    assert (trace["x"], trace["y"], trace["text"]) == ([1.0, 2.0], [3.0, 4.0], ["first", "second"])
    assert drawing_notes(figure_of(points)) == []


def test_many_points_are_thinned_and_it_is_said() -> None:
    points = Points(cloud(200_000, 1), cloud(200_000, 2), "force components")
    [trace] = plot(figure_of(points))["data"]
    assert MOST_POINTS / 4 < len(trace["x"]) <= MOST_POINTS
    [note] = drawing_notes(figure_of(points))
    assert note.startswith(f"{len(trace['x']):,} of 200,000 points are drawn")


@settings(deadline=None, max_examples=20, derandomize=True)
@given(seed=st.integers(0, 10_000), angle=st.floats(0, 2 * np.pi))
def test_a_point_that_stands_alone_is_never_lost(seed: int, angle: float) -> None:
    x, y = np.append(cloud(50_000, seed), 30 * np.cos(angle)), np.append(cloud(50_000, seed + 1), 30 * np.sin(angle))
    assert 50_000 in thinned(Points(x, y, "data"), x_log=False, y_log=False)


def test_a_text_stays_with_its_point_when_points_are_thinned() -> None:
    x = cloud(20_000, 3).round(6)
    points = Points(x, cloud(20_000, 4), "data", texts=tuple(f"{value:.6f}" for value in x))
    [trace] = plot(figure_of(points))["data"]
    assert [float(text) for text in trace["text"]] == pytest.approx(trace["x"], rel=1e-5)


def test_what_has_no_place_on_a_logarithmic_axis_is_counted() -> None:
    points = Points(np.arange(4.0), np.array([1.0, 0.0, -2.0, np.nan]), "errors")
    figure = figure_of(points, y_scale="log")
    assert plot(figure)["data"][0]["y"] == [1.0]
    assert drawing_notes(figure) == ["Values without a place on these axes: 3."]


def test_the_shortest_bar_can_be_seen_on_a_logarithmic_axis() -> None:
    figure = figure_of(Bars(np.arange(4.0), np.array([1.0, 0.0, 500.0]), "counts"), y_scale="log")
    low, high = plot(figure)["layout"]["yaxis"]["range"]
    assert low < np.log10(1.0) - 0.1
    assert high > np.log10(500.0)


def test_bars_stand_between_their_edges() -> None:
    [trace] = plot(figure_of(Bars(np.array([0.0, 1.0, 3.0]), np.array([5.0, 7.0]), "counts")))["data"]
    assert (trace["x"], trace["width"], trace["y"]) == ([0.5, 2.0], [1.0, 2.0], [5.0, 7.0])


def test_a_band_lies_a_half_width_to_either_side_of_its_line() -> None:
    x = np.array([0.0, 1.0])
    band, line = plot(figure_of(Line(x, np.array([2.0, 3.0]), "mean", band=np.array([0.5, 1.0]))))["data"]
    assert (band["x"], band["y"]) == ([0.0, 1.0, 1.0, 0.0], [2.5, 4.0, 2.0, 1.5])
    assert line["y"] == [2.0, 3.0]


def test_a_dashed_line_is_a_guide_and_takes_no_colour_from_the_series() -> None:
    x = np.array([0.0, 1.0])
    guide, points = plot(figure_of(Line(x, x, "equal", dashed=True), Points(x, x, "data")))["data"]
    assert guide["line"]["color"] not in COLOURS
    assert points["marker"]["color"] == COLOURS[0]


def test_series_beyond_the_colours_differ_by_their_symbols() -> None:
    styles = {series_style(index) for index in range(3 * len(COLOURS))}
    assert len(styles) == 3 * len(COLOURS)


def test_equal_axes_are_tied_to_each_other() -> None:
    x = np.array([0.0, 1.0])
    assert plot(figure_of(Points(x, x, "data"), equal_axes=True))["layout"]["yaxis"]["scaleanchor"] == "x"


def test_a_long_axis_label_goes_on_in_a_second_line() -> None:
    label = "a label that is much too long for the axis of a narrow plot (eV/Å)"
    figure = Figure("f", "t", label, "y", (Line(np.zeros(1), np.zeros(1), "l"),))
    text = plot(figure)["layout"]["xaxis"]["title"]["text"]
    assert text.count("<br>") == 1
    assert text.replace("<br>", " ") == label

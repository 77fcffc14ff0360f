"""Figures as files."""

import re
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from pixels import near

from adiabat.errors import OutputError
from adiabat.report import write_image
from adiabat.report.palette import COLOURS
from adiabat.results import Bars, Figure, Line, Mark, Points

X = np.linspace(1.0, 10.0, 50)
EACH_MARK: tuple[Mark, ...] = (
    Bars(np.linspace(0, 10, 6), np.array([1.0, 4.0, 9.0, 4.0, 2.0]), "bars"),
    Line(X, X, "line", band=0.2 * X),
    Points(X, 10 - X / 2, "points", texts=("text",) * 50),
    Line(X, X / 2, "guide", dashed=True),
)
FIGURE = Figure("f", "Every mark, and 5 $ signs $", "distance (Å)", "energy (eV)", EACH_MARK, y_scale="log")


@pytest.mark.parametrize(("suffix", "start"), [(".png", b"\x89PNG"), (".pdf", b"%PDF"), (".svg", b"<?xml")])
def test_the_suffix_chooses_the_format(tmp_path: Path, suffix: str, start: bytes) -> None:
    file = tmp_path / f"figure{suffix}"
    write_image(FIGURE, file)
    assert file.read_bytes().startswith(start)
    assert list(tmp_path.iterdir()) == [file]


def test_no_text_is_shown_as_the_code_of_a_formula(tmp_path: Path) -> None:
    write_image(FIGURE, tmp_path / "figure.svg")
    comments = re.findall("<!-- (.*?) -->", (tmp_path / "figure.svg").read_text())
    assert "Every mark, and 5 $ signs $" in comments
    assert {"1", "2", "5", "10"} <= set(comments)  # on the logarithmic axis
    assert not any("\\" in text for text in comments)


def test_each_series_has_a_colour_of_its_own_on_the_picture(tmp_path: Path) -> None:
    write_image(FIGURE, tmp_path / "figure.PNG")
    image = matplotlib.image.imread(tmp_path / "figure.PNG", format="png")[..., :3]
    for colour in COLOURS[:3]:
        assert near(image, colour, tolerance=0.2).sum() > 100


def test_many_points_become_a_bitmap_within_a_vector_file(tmp_path: Path) -> None:
    y = np.random.default_rng(0).normal(size=(2, 200_000))
    write_image(Figure("f", "t", "x", "y", (Points(y[0], y[1], "points"),)), tmp_path / "figure.svg")
    assert (tmp_path / "figure.svg").stat().st_size < 1_000_000
    assert "<image" in (tmp_path / "figure.svg").read_text()


def test_equal_axes_have_one_scale_where_others_fill_the_picture(tmp_path: Path) -> None:
    assert steepness_on_screen(tmp_path / "equal.png", equal_axes=True) == pytest.approx(2.0, rel=0.03)
    assert steepness_on_screen(tmp_path / "filled.png", equal_axes=False) < 1.0


def steepness_on_screen(file: Path, *, equal_axes: bool) -> float:
    """Of a line that rises by two units for each to the right."""
    write_image(Figure("f", "t", "x", "y", (Line(X, 2 * X, "l"),), equal_axes=equal_axes), file)
    rows, columns = np.nonzero(near(matplotlib.image.imread(file)[..., :3], COLOURS[0]))
    return float(np.ptp(rows) / np.ptp(columns))


@pytest.mark.parametrize("name", ["figure.txt", "figure"])
def test_another_suffix_is_refused_naming_the_known_ones(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError, match=r"\.png, \.svg, \.pdf"):
        write_image(FIGURE, tmp_path / name)
    assert list(tmp_path.iterdir()) == []

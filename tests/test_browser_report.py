"""Reports in a real browser: they draw all they should, ask for nothing, and let no text of the data act."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from browser import Visit, chromium, pixels, visit
from evaluated_structures import POTENTIAL, typed
from pixels import near
from playwright.sync_api import Browser
from torch import Tensor

from adiabat.evaluation import LearningCurve, evaluate, evaluation_page
from adiabat.report import write_html
from adiabat.report.palette import COLOURS
from adiabat.results import Bars, Figure, Line, Page, Points, StructureView, Table
from adiabat.system import Graph

HOSTILE = "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>\"&amp;%{x}"
CURVE = LearningCurve("basis functions", (50, 200, 900), (9.0, 4.0, 2.5), (0.2, 0.1, 0.07), "test.xyz")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reports")


@pytest.fixture(scope="module")
def evaluated(browser: Browser, folder: Path) -> Iterator[Visit]:
    """The report of an evaluation: every kind of plot that there is."""
    structures = typed(["bulk"] * 4 + ["surface"] * 3 + ["a kind with quite a long name"] * 2)
    evaluation = evaluate(POTENTIAL, structures, distance=_height, quiet=True)
    page = evaluation_page(evaluation, title="ar.adiabat on test.xyz", learning_curve=CURVE)
    write_html(page, folder / "evaluation.html")
    with visit(browser, folder / "evaluation.html") as seen:
        yield seen


def _height(graph: Graph) -> Tensor:
    return 0.1 + graph.batch.positions[:, 2].abs()


def test_no_script_fails_and_no_request_leaves_the_page(evaluated: Visit) -> None:
    assert evaluated.errors == []
    assert [url for url in evaluated.requests if not url.startswith(("data:", "blob:"))] == [evaluated.page.url]


def test_the_page_may_not_ask_for_anything_even_if_it_tried(evaluated: Visit) -> None:
    asked = "() => fetch('https://example.org/').then(() => 'sent', () => 'refused')"
    assert evaluated.page.evaluate(asked) == "refused"
    assert not any("example.org" in url for url in evaluated.requests)
    evaluated.errors.clear()  # the refusal itself is on the console


def test_every_plot_is_drawn_with_all_its_marks(evaluated: Visit) -> None:
    drawn = evaluated.page.evaluate(
        """() => [...document.querySelectorAll('.plot')].map((plot) => ({
            traces: plot._fullData.length,
            shown: plot.querySelectorAll('.scatterlayer .trace, .barlayer .trace').length,
            marks: plot.querySelectorAll('.point, .js-line').length,
        }))"""
    )
    assert len(drawn) == 9  # three parity plots, three histograms, the distance, two learning curves
    for plot in drawn:
        assert plot["shown"] == plot["traces"] > 0
        assert plot["marks"] >= plot["traces"]


def test_every_plot_shows_its_first_colour_on_the_screen(evaluated: Visit) -> None:
    for plot in evaluated.page.locator(".plot").all():
        assert near(pixels(plot), COLOURS[0], tolerance=0.3).sum() > 50


def test_no_label_is_cut_off(evaluated: Visit) -> None:
    outside = evaluated.page.evaluate(
        """() => [...document.querySelectorAll('.plot')].flatMap((plot) => {
            const frame = plot.getBoundingClientRect();
            return [...plot.querySelectorAll('text')].filter((text) => {
                const box = text.getBoundingClientRect();
                return box.width > 0 && (box.left < frame.left - 1 || box.right > frame.right + 1
                    || box.top < frame.top - 1 || box.bottom > frame.bottom + 1);
            }).map((text) => text.textContent);
        })"""
    )
    assert outside == []


def test_tick_labels_of_an_axis_do_not_run_into_each_other(evaluated: Visit) -> None:
    overlapping = evaluated.page.evaluate(
        """() => [...document.querySelectorAll('.plot')].flatMap((plot) =>
            ['.xtick text', '.ytick text'].flatMap((which) => {
                const boxes = [...plot.querySelectorAll(which)].map((text) => text.getBoundingClientRect());
                return boxes.flatMap((a, i) => boxes.slice(i + 1).filter((b) => a.left < b.right && b.left < a.right
                    && a.top + 2 < b.bottom && b.top + 2 < a.bottom).map(() => plot.id));
            }))"""
    )
    assert overlapping == []


def test_the_viewer_draws_the_chosen_structure(evaluated: Visit) -> None:
    viewer, buttons = evaluated.page.locator("#viewer"), evaluated.page.locator("[data-structure]")
    assert buttons.count() == 6 + 4  # the largest errors, the least known
    first = pixels(viewer)
    assert float((np.ptp(first, axis=-1) + 1 - first.max(axis=-1) > 0.1).mean()) > 0.02  # neither white nor empty
    buttons.nth(3).click()
    evaluated.page.wait_for_timeout(300)
    second = pixels(viewer)
    assert float((np.abs(second - first).max(axis=-1) > 0.1).mean()) > 0.01
    assert buttons.nth(3).get_attribute("aria-pressed") == "true"
    assert buttons.nth(0).get_attribute("aria-pressed") == "false"
    assert evaluated.errors == []


def _view(name: str, atoms: Atoms, title: str, values: np.ndarray | None = None) -> StructureView:
    return StructureView(name, title, atoms, values=values, value_label="" if values is None else HOSTILE)


@pytest.fixture(scope="module")
def hostile(browser: Browser, folder: Path) -> Iterator[Visit]:
    """Every text of a page is one that would act if it were not escaped."""
    x = np.array([1.0, 2.0, 3.0])
    marks = (
        Points(x, x, HOSTILE, texts=(HOSTILE,) * 3),
        Line(x, x, HOSTILE + " line", band=0.1 * x),
        Bars(np.array([0.0, 1.0, 2.0]), np.array([1.0, 2.0]), HOSTILE),
    )
    water = molecule("H2O")
    page = Page(
        title=HOSTILE,
        summary=(HOSTILE,),
        tables=(Table("t", HOSTILE, (HOSTILE, "n"), ((HOSTILE, 1.5), (None, 2.5))),),
        figures=(Figure("f", HOSTILE, HOSTILE, HOSTILE, marks, note=HOSTILE),),
        structures=(_view("a", water, HOSTILE), _view("b", water, HOSTILE, np.array([0.0, 0.5, 1.0]))),
        details={HOSTILE: HOSTILE},
    )
    write_html(page, folder / "hostile.html")
    with visit(browser, folder / "hostile.html") as seen:
        yield seen


def test_no_text_of_the_data_acts(hostile: Visit) -> None:
    assert hostile.page.evaluate("window.hacked") is None
    assert hostile.page.locator("img").count() == 0
    assert hostile.page.locator("script").count() == 3  # the data, plotly, ours
    assert hostile.errors == []
    assert len(hostile.requests) == 1


@pytest.mark.parametrize(
    "where", ["h1", "h2 >> nth=0", "h3", "th >> nth=0", "td >> nth=0", "dt", "dd", ".note >> nth=0"]
)
def test_texts_of_the_data_are_shown_as_they_are(hostile: Visit, where: str) -> None:
    shown = hostile.page.locator(where).text_content()
    assert shown is not None
    assert HOSTILE in shown


def test_texts_in_plots_are_shown_as_they_are(hostile: Visit) -> None:
    assert hostile.page.locator(".legendtext").first.text_content() == HOSTILE
    title = hostile.page.locator(".xtitle").text_content()
    assert title is not None
    assert title.replace(" ", "") == HOSTILE.replace(" ", "")  # broken into lines
    assert hostile.page.locator("[data-structure]").first.text_content() == HOSTILE


def test_atoms_have_the_colours_of_their_elements_and_a_legend(hostile: Visit) -> None:
    image = pixels(hostile.page.locator("#viewer"))
    assert near(image, "#FF0D0D", tolerance=0.25).sum() > 500  # oxygen is red in jmol's colours
    assert hostile.page.locator(".elements:visible").inner_text().split() == ["H", "O"]


def test_a_narrow_screen_scrolls_downward_only(browser: Browser, folder: Path, evaluated: Visit) -> None:
    with visit(browser, folder / "evaluation.html", width=420) as seen:
        assert seen.page.evaluate("document.scrollingElement.scrollWidth") <= 420
        assert seen.errors == []


def test_a_table_alone_is_a_page(browser: Browser, folder: Path) -> None:
    write_html(Page("Only a table", tables=(Table("t", "Numbers", ("n",), ((1.0,),)),)), folder / "table.html")
    with visit(browser, folder / "table.html") as seen:
        assert seen.errors == []
        assert json.loads(seen.page.locator("#page-data").text_content() or "")["plots"] == []

"""The file of a report: self-contained, safe, whole. (How it looks and acts is tested in a browser.)"""

import base64
import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest

from adiabat.errors import OutputError
from adiabat.report import write_html
from adiabat.report.html import render
from adiabat.results import Figure, Page, Points, Table

PAGE = Page(
    title="A page",
    summary=("One sentence.",),
    tables=(Table("errors", "Errors", ("type", "MAE (eV/Å)", "n"), (("bulk", 0.0612, 1200), ("surface", None, 3))),),
    figures=(Figure("f", "F", "x", "y", (Points(np.array([1.0, np.nan]), np.array([1.0, 2.0]), "p"),)),),
)


@pytest.fixture(scope="module")
def text() -> str:
    return render(PAGE)


def test_the_file_refers_to_nothing_outside_it(text: str) -> None:
    markup = re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)
    assert "http" not in markup.replace("http-equiv", "")
    assert re.findall(r'(?:src|href)="([^"#]*)"', markup) == ["data:,"]


def test_only_the_scripts_of_the_page_may_run_and_nothing_may_be_loaded(text: str) -> None:
    [policy] = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy.startswith("default-src 'none';")
    allowed = set(re.findall(r"'sha256-([^']*)'", policy))
    scripts = re.findall(r"<script>(.*?)</script>", text, flags=re.DOTALL)
    assert {base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts} == allowed


def test_plotly_is_there_once(text: str) -> None:
    assert text.count("* plotly.js v") == 1
    assert len(text) < 6_000_000


def test_the_values_of_the_page_are_json_that_ends_no_element(text: str) -> None:
    [values] = re.findall(r'<script type="application/json" id="page-data">(.*?)</script>', text, flags=re.DOTALL)
    assert not set("<>&") & set(values)
    assert json.loads(values)["plots"][0]["data"][0]["x"] == [1.0]


def test_tables_align_numbers_and_show_gaps(text: str) -> None:
    assert '<td>bulk</td><td class="number">0.0612</td><td class="number">1,200</td>' in text
    assert '<td>surface</td><td class="number">–</td><td class="number">3</td>' in text


def test_a_point_without_a_place_is_said_under_its_plot(text: str) -> None:
    assert "Values without a place on these axes: 1." in text


def test_a_table_without_rows_keeps_its_heading() -> None:
    assert "<th>finding</th>" in render(Page("Clean", tables=(Table("f", "Findings", ("finding",), ()),)))


def test_the_same_page_gives_the_same_file(text: str) -> None:
    assert render(PAGE) == text


def test_a_page_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        write_html(PAGE, tmp_path / "missing" / "report.html")
    with pytest.raises(OutputError):
        write_html(PAGE, tmp_path)
    assert list(tmp_path.iterdir()) == []

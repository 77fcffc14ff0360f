"""write_html: a report in one file that opens offline."""

import base64
import hashlib
import json
from collections.abc import Iterator
from html import escape
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from adiabat.report.numbers import column_texts, is_numeric
from adiabat.report.plots import FONT, INK, drawing_notes, plot
from adiabat.report.scene import scene
from adiabat.results import Figure, Page, Table
from adiabat.runs import atomic_write_text


def write_html(page: Page, file: Path) -> None:
    """Write a report as one HTML file, whole or not at all.

    All that it shows is in it, and it asks for nothing: a content security policy lets no request leave the page, and no
    script run but plotly's and our own.

    Raises:
        OutputError: The file cannot be written.
    """
    atomic_write_text(file, render(page))


def render(page: Page) -> str:
    """The text of the HTML file."""
    scripts = [_plotly(), _resource("script.js")]
    scenes = [scene(view) for view in page.structures]
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_policy(scripts)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<link rel="icon" href="data:,">',
            f"<title>{escape(page.title)}</title>",
            f"<style>{_resource('style.css')}</style>",
            "</head>",
            "<body>",
            *_body(page, scenes),
            f'<script type="application/json" id="page-data">{_data(page, scenes)}</script>',
            *(f"<script>{script}</script>" for script in scripts),
            "</body>",
            "</html>",
            "",
        ]
    )


def _resource(name: str) -> str:
    return files("adiabat.report").joinpath(name).read_text(encoding="utf-8")


def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    return get_plotlyjs()


def _policy(scripts: list[str]) -> str:
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; font-src data:"


def _data(page: Page, scenes: list[dict[str, Any]]) -> str:
    """JSON in which nothing can end the script element that holds it."""
    values: dict[str, Any] = {
        "font": {"family": FONT, "size": 13, "color": INK},
        "plots": [{"id": f"plot-{index}"} | plot(figure) for index, figure in enumerate(page.figures)],
        "structures": scenes,
    }
    text = json.dumps(values, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _body(page: Page, scenes: list[dict[str, Any]]) -> Iterator[str]:
    yield f"<header><h1>{escape(page.title)}</h1>"
    yield (
        '<ul class="summary">' + "".join(f"<li>{escape(sentence)}</li>" for sentence in page.summary) + "</ul></header>"
    )
    yield _contents(page)
    yield "<main>"
    for index, table in enumerate(page.tables):
        yield _table(table, f"table-{index}")
    if page.figures:
        yield '<section id="plots"><h2>Plots</h2><div class="plots">'
        yield from (_figure(figure, f"plot-{index}") for index, figure in enumerate(page.figures))
        yield "</div></section>"
    if scenes:
        yield _viewer(page, scenes)
    if page.details:
        items = (f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in page.details.items())
        yield f'<section id="details"><h2>Details</h2><dl class="card">{"".join(items)}</dl></section>'
    yield f"</main><footer>Written by adiabat {escape(version('adiabat'))}. This page asks nothing of any server.</footer>"


def _contents(page: Page) -> str:
    sections = [(f"table-{index}", table.title) for index, table in enumerate(page.tables)]
    sections += [("plots", "Plots")] if page.figures else []
    sections += [("structures", "Structures")] if page.structures else []
    sections += [("details", "Details")] if page.details else []
    links = (f'<li><a href="#{anchor}">{escape(title)}</a></li>' for anchor, title in sections)
    return f'<nav aria-label="Contents"><ul>{"".join(links)}</ul></nav>'


def _table(table: Table, anchor: str) -> str:
    columns = [list(column) for column in zip(*table.rows, strict=True)] or [[] for _ in table.columns]
    classes = [' class="number"' if is_numeric(column) else "" for column in columns]
    texts = zip(*(column_texts(column) for column in columns), strict=True)
    head = "".join(f"<th{kind}>{escape(name)}</th>" for kind, name in zip(classes, table.columns, strict=True))
    rows = (
        "<tr>" + "".join(f"<td{kind}>{escape(text)}</td>" for kind, text in zip(classes, row, strict=True)) + "</tr>"
        for row in texts
    )
    return (
        f'<section id="{anchor}"><h2>{escape(table.title)}</h2><div class="card scroll"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div></section>"
    )


def _figure(figure: Figure, anchor: str) -> str:
    notes = [figure.note] * bool(figure.note) + drawing_notes(figure)
    note = f'<p class="note">{escape(" ".join(notes))}</p>' if notes else ""
    return f'<div class="card"><h3>{escape(figure.title)}</h3><div class="plot" id="{anchor}"></div>{note}</div>'


def _viewer(page: Page, scenes: list[dict[str, Any]]) -> str:
    buttons = "".join(
        f'<button type="button" data-structure="{index}" aria-pressed="false">{escape(view.title)}</button>'
        for index, view in enumerate(page.structures)
    )
    legends = "".join(
        f'<div class="elements" data-legend="{index}" hidden>{_elements(each)}</div>'
        for index, each in enumerate(scenes)
    )
    return (
        '<section id="structures"><h2>Structures</h2><div class="card viewer">'
        f'<div class="chooser">{buttons}</div><div><div id="viewer"></div>{legends}'
        '<p class="note">Drag to turn, scroll to zoom, point at an atom for its number.</p></div></div></section>'
    )


def _elements(values: dict[str, Any]) -> str:
    if values["values"] is not None:
        return ""
    return "".join(
        f'<span><span class="dot" style="background:{each["colour"]}"></span>{each["symbol"]}</span>'
        for each in values["elements"]
    )

"""write_html: a report in one file that opens offline."""

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from html import escape
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from adiabat.report.plots import FONT, INK, plot
from adiabat.report.scene import scene
from adiabat.report.sections import (
    contents,
    details_section,
    plots_section,
    summary_list,
    table_section,
    viewer_section,
)
from adiabat.results import Page
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
    scenes = [scene(view) for view in page.structures]
    return document(page.title, _body(page, scenes), page_data(page, scenes), ("script.js",))


def document(title: str, body: Iterable[str], values: dict[str, Any], scripts: Sequence[str], *, asks: str = "") -> str:
    """A page as one text, with a policy that lets no script run but plotly's and ours.

    Args:
        title: Of the page.
        body: HTML, with what comes of data escaped.
        values: For the scripts, as JSON; nothing in it can end the script element that holds it.
        scripts: Our own, by the names of their files.
        asks: Whom the page may ask for more, as a source of the policy; nobody where it is empty.
    """
    texts = [_plotly(), *(_resource(name) for name in scripts)]
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_policy(texts, asks)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<link rel="icon" href="data:,">',
            f"<title>{escape(title)}</title>",
            f"<style>{_resource('style.css')}</style>",
            "</head>",
            "<body>",
            *body,
            f'<script type="application/json" id="page-data">{_json(values)}</script>',
            *(f"<script>{text}</script>" for text in texts),
            "</body>",
            "</html>",
            "",
        ]
    )


def page_data(page: Page, scenes: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """What the scripts draw."""
    return {
        "font": {"family": FONT, "size": 13, "color": INK},
        "plots": [{"id": f"plot-{index}"} | plot(figure) for index, figure in enumerate(page.figures)],
        "structures": list(scenes),
    }


def _resource(name: str) -> str:
    return files("adiabat.report").joinpath(name).read_text(encoding="utf-8")


@cache
def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    return get_plotlyjs()


def _policy(scripts: list[str], asks: str) -> str:
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    connect = f" connect-src {asks};" if asks else ""
    return f"default-src 'none';{connect} script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; font-src data:"


def _json(values: dict[str, Any]) -> str:
    text = json.dumps(values, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _body(page: Page, scenes: list[dict[str, Any]]) -> Iterator[str]:
    yield f"<header><h1>{escape(page.title)}</h1>{summary_list(page)}</header>"
    yield contents(page)
    yield "<main>"
    for index, table in enumerate(page.tables):
        yield table_section(table, f"table-{index}")
    yield plots_section(page)
    if scenes:
        yield viewer_section(page, scenes)
    yield details_section(page)
    yield f"</main><footer>Written by adiabat {escape(version('adiabat'))}. This page asks nothing of any server.</footer>"

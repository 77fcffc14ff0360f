"""A page that follows something under way: the same parts as a report, asked for again and again."""

from html import escape
from importlib.metadata import version
from typing import Any

from adiabat.report.html import document, page_data
from adiabat.report.sections import details_section, plots_section, summary_list, table_section
from adiabat.results import Page

PARTS = ("summary", "tables", "plots", "details")


def render_live(page: Page) -> str:
    """The text of the HTML page; it asks the server that it came from for `state.json`, and no one else.

    Args:
        page: As it is now; its structures are not shown.
    """
    title = escape(page.title)
    body = (
        f'<header><h1>{title}</h1><div id="part-summary"></div><p id="status" role="status"></p></header>',
        "<main>",
        *(f'<div id="part-{name}"></div>' for name in PARTS[1:]),
        f"</main><footer>Followed by adiabat {escape(version('adiabat'))}. This page asks nothing of any server but this one, on "
        'your own machine. <a href="report.html">The report so far</a></footer>',
    )
    return document(page.title, body, live_state(page), ("live.js",), asks="'self'")


def live_state(page: Page) -> dict[str, Any]:
    """What the page's script shows: HTML by part, in which every text of the data is escaped, and plots."""
    tables = "".join(table_section(table, f"table-{index}") for index, table in enumerate(page.tables))
    texts = (summary_list(page), tables, plots_section(page), details_section(page))
    return {"parts": dict(zip(PARTS, texts, strict=True)), "plots": page_data(page)["plots"]}

"""Parts of a page as HTML; every text of the data is escaped."""

from html import escape
from typing import Any

from adiabat.report.numbers import column_texts, is_numeric
from adiabat.report.plots import drawing_notes
from adiabat.results import Figure, Page, Table


def summary_list(page: Page) -> str:
    """What stands at the head of a page."""
    return '<ul class="summary">' + "".join(f"<li>{escape(sentence)}</li>" for sentence in page.summary) + "</ul>"


def plots_section(page: Page) -> str:
    """Places for the plots, which a script draws: `plot-0`, `plot-1` ...; empty where there are none."""
    if not page.figures:
        return ""
    cards = "".join(_figure(figure, f"plot-{index}") for index, figure in enumerate(page.figures))
    return f'<section id="plots"><h2>Plots</h2><div class="plots">{cards}</div></section>'


def details_section(page: Page) -> str:
    """Where the numbers come from; empty where nothing is said of that."""
    if not page.details:
        return ""
    items = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in page.details.items())
    return f'<section id="details"><h2>Details</h2><dl class="card">{items}</dl></section>'


def contents(page: Page) -> str:
    """Links to the sections of a page."""
    sections = [(f"table-{index}", table.title) for index, table in enumerate(page.tables)]
    sections += [("plots", "Plots")] if page.figures else []
    sections += [("structures", "Structures")] if page.structures else []
    sections += [("details", "Details")] if page.details else []
    links = (f'<li><a href="#{anchor}">{escape(title)}</a></li>' for anchor, title in sections)
    return f'<nav aria-label="Contents"><ul>{"".join(links)}</ul></nav>'


def table_section(table: Table, anchor: str) -> str:
    """A table under its heading."""
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


def viewer_section(page: Page, scenes: list[dict[str, Any]]) -> str:
    """The viewer of structures, and buttons to choose by."""
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

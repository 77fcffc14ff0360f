"""print_table: a table on the terminal, with the same digits as in a report."""

from collections.abc import Sequence
from textwrap import wrap

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from adiabat.report.numbers import column_texts, is_numeric
from adiabat.results import Table


def print_table(table: Table, console: Console | None = None) -> None:
    """Print to the console (default: standard output), and an empty line after it."""
    columns = [list(column) for column in zip(*table.rows, strict=True)] or [[] for _ in table.columns]
    texts = [column_texts(column) for column in columns]
    drawn = RichTable(header_style="dim", box=None)
    drawn.pad_edge = False
    for name, column, cells in zip(table.columns, columns, texts, strict=True):
        numeric = is_numeric(column)
        drawn.add_column(
            Text(_narrow(name, cells) if numeric else name), justify="right" if numeric else "left", overflow="fold"
        )
    for row in zip(*texts, strict=True):
        drawn.add_row(*(Text(cell) for cell in row))
    console = console or Console()
    console.print(Text(table.title, style="bold"))  # not the table's own title, which would wrap at its width
    console.print(drawn)
    console.print()


def _narrow(heading: str, cells: Sequence[str]) -> str:
    """A heading in lines no longer than its longest word or cell: a column of numbers need not be wider."""
    return "\n".join(wrap(heading, max(len(text) for text in (*heading.split(), *cells))))

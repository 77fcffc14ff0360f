"""print_table: a table on the terminal, with the same digits as in a report."""

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from adiabat.report.numbers import column_texts, is_numeric
from adiabat.results import Table


def print_table(table: Table, console: Console | None = None) -> None:
    """Print to the console (default: standard output), and an empty line after it."""
    columns = [list(column) for column in zip(*table.rows, strict=True)] or [[] for _ in table.columns]
    drawn = RichTable(title=Text(table.title, style="bold"), title_justify="left", header_style="dim", box=None)
    drawn.pad_edge = False
    for name, column in zip(table.columns, columns, strict=True):
        drawn.add_column(Text(name), justify="right" if is_numeric(column) else "left", overflow="fold")
    for row in zip(*(column_texts(column) for column in columns), strict=True):
        drawn.add_row(*(Text(cell) for cell in row))
    (console or Console()).print(drawn, end="\n\n")

"""Tables on a terminal."""

from io import StringIO

from rich.console import Console

from adiabat.report import print_table
from adiabat.results import Table

TABLE = Table("t", "Errors [bold]", ("config_type", "MAE (eV/Å)"), (("bulk [red]", 0.0612), ("surface", None)))


def printed(width: int) -> str:
    console = Console(file=StringIO(), width=width)
    print_table(TABLE, console)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_a_table_is_printed_as_it_is_whatever_its_texts_look_like() -> None:
    text = printed(80)
    assert "Errors [bold]" in text
    assert "bulk [red]" in text
    assert "0.0612" in text
    assert "–" in text


def test_nothing_is_cut_off_on_a_narrow_terminal() -> None:
    first_column = "".join(line[:10].strip() for line in printed(18).splitlines()[1:])
    assert "config_type" in first_column
    assert "bulk" in first_column
    assert "…" not in printed(18)


def test_words_stay_whole_where_numbers_are_narrow() -> None:
    columns = ("config_type", "structures", *(f"{kind} {mean} (meV/atom)" for kind in ("energy", "x") for mean in "ab"))
    console = Console(file=StringIO(), width=72)
    print_table(Table("t", "Errors", columns, (("AIMD-NVT", 25, 1.0, 2.0, 3.0, 4.0),)), console)
    assert isinstance(console.file, StringIO)
    words = console.file.getvalue().split()
    assert words.count("(meV/atom)") == 4
    assert {"config_type", "structures", "AIMD-NVT"} <= set(words)


def test_numbers_end_at_the_same_column() -> None:
    lines = [line.rstrip() for line in printed(80).splitlines() if "0.0612" in line or "–" in line]
    assert len(lines) == 2
    assert len(lines[0]) == len(lines[1])

"""The page that says how the rivals compare."""

from collections.abc import Sequence

from rivals.row import Row

IMAGE = "![Force error against time per atom](images/comparison.png)"
HEADS = (
    "",
    "model",
    "precision",
    "training, CPU s",
    "energy MAE, meV/atom",
    "force MAE, eV/Å",
    "µs per atom",
    "times as long as {reference}",
    "versions",
)


PAGE = """\
# adiabat and what users would pick instead

{image}

{table}

{machine}
"""


def page(rows: Sequence[Row], reference: Row, said: str) -> str:
    """All of it.

    Args:
        rows: In the order of the table.
        reference: To whose time the others' are related.
        said: Machine, versions, date, load.
    """
    machine = "\n".join(f"    {line}" for line in said.splitlines())
    return PAGE.format(table=table(rows, reference), image=IMAGE, machine=machine)


def table(rows: Sequence[Row], reference: Row) -> str:
    """Rows in Markdown; who could not be measured stands in it with the reason."""
    heads = [head.format(reference=reference.entry.label) for head in HEADS]
    lines = [heads, ["---"] * len(heads), *(cells(row, reference) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cells(row: Row, reference: Row) -> list[str]:
    """One line of the table."""
    accuracy = [number(row.energy_mae, ".1f"), number(row.force_mae, ".3f")]
    ratio = row.slower_than(reference)
    return [
        row.entry.label,
        f"**{row.problem}**" if row.problem else row.how,
        row.entry.precision,
        number(row.training_s, ".0f"),
        *(accuracy if row.entry.accuracy else ["speed only", "speed only"]),
        number(row.speed, ".3g"),
        "–" if ratio is None else f"{ratio[1]:.3g} [{ratio[0]:.3g} {ratio[2]:.3g}]",
        ", ".join(f"{name} {version}" for name, version in row.versions.items()),
    ]


def number(value: float | None, form: str) -> str:
    """A number, or a dash where there is none."""
    return "–" if value is None else format(value, form)

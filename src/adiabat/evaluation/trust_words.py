"""Verdicts on structures for people to read: tables, sentences, a page."""

from collections.abc import Mapping, Sequence

from adiabat.evaluation.least_known import STD_LABEL, graded_views
from adiabat.evaluation.trust import StructureTrust, Trust
from adiabat.results import Page, Table

MOST_ROWS = 60
"""More are in the JSON, and nobody reads them."""


def trust_tables(trust: Trust, *, most_rows: int = MOST_ROWS) -> tuple[Table, ...]:
    """What the potential says of each structure, and why some are not to be trusted, if there are such.

    Args:
        trust: The verdicts.
        most_rows: How many structures are shown; of more, those that are not trusted, and the least known, come first.
    """
    shown = list(trust.structures)
    if len(shown) > most_rows:
        shown.sort(key=lambda one: (one.trusted, -(one.largest_force_std_ev_per_angstrom or 0.0)))
    of_all = f": {most_rows} of {len(shown):,}" if len(shown) > most_rows else ""
    doubted = tuple((one.place, one.reason) for one in shown[:most_rows] if not one.trusted)
    reasons = Table("not-trusted", f"Not to be trusted{of_all}", ("structure", "why"), doubted)
    return (_numbers(shown[:most_rows], f"Uncertainty{of_all}"), *([reasons] if doubted else []))


def _numbers(shown: Sequence[StructureTrust], title: str) -> Table:
    return Table(
        name="uncertainty",
        title=title,
        columns=(
            "structure",
            "formula",
            "energy (eV/atom)",
            "± (meV/atom)",
            "largest force ± (eV/Å)",
            "of atom",
            "trusted",
        ),
        rows=tuple(
            (
                one.place,
                one.formula,
                one.energy_ev_per_atom,
                None if one.energy_std_ev_per_atom is None else 1000 * one.energy_std_ev_per_atom,
                one.largest_force_std_ev_per_angstrom,
                one.least_known_atom,
                "yes" if one.trusted else "NO",
            )
            for one in shown
        ),
    )


def trust_sentences(trust: Trust) -> tuple[str, ...]:
    """How many structures are trusted, and by what."""
    total = len(trust.structures)
    verdict = (
        f"Not to be trusted: {trust.not_trusted:,} of {total:,}." if trust.not_trusted else f"Trusted: all {total:,}."
    )
    return (verdict, trust.criterion)


def trust_page(trust: Trust, *, title: str, details: Mapping[str, str]) -> Page:
    """The report of structures without labels.

    Args:
        trust: The verdicts.
        title: Of the page.
        details: Where the numbers come from: files, versions, settings.
    """
    graded = [(one.structure, one.force_std) for one in trust.structures if one.force_std is not None]
    return Page(
        title=title,
        summary=trust_sentences(trust),
        tables=trust_tables(trust),
        structures=graded_views(graded, STD_LABEL),
        details=dict(details),
    )

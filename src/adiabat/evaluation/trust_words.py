"""Verdicts on structures for people to read: a table, sentences, a page."""

from collections.abc import Mapping

from adiabat.evaluation.least_known import STD_LABEL, graded_views
from adiabat.evaluation.trust import Trust
from adiabat.results import Page, Table

MOST_ROWS = 60
"""More are in the JSON, and nobody reads them."""


def trust_table(trust: Trust, *, most_rows: int = MOST_ROWS) -> Table:
    """What the potential says of each structure: of more than fit, those that are not trusted, and the least known, first.

    Args:
        trust: The verdicts.
        most_rows: How many are shown.
    """
    shown = list(trust.structures)
    if len(shown) > most_rows:
        shown.sort(key=lambda one: (one.trusted, -(one.largest_force_std_ev_per_angstrom or 0.0)))
    return Table(
        name="uncertainty",
        title="Uncertainty" if len(shown) <= most_rows else f"Uncertainty: the first {most_rows} of {len(shown):,}",
        columns=(
            "structure",
            "config_type",
            "formula",
            "energy (eV/atom)",
            "± (meV/atom)",
            "largest force ± (eV/Å)",
            "of atom",
            "trusted",
            "why",
        ),
        rows=tuple(
            (
                one.place,
                one.config_type,
                one.formula,
                one.energy_ev_per_atom,
                None if one.energy_std_ev_per_atom is None else 1000 * one.energy_std_ev_per_atom,
                one.largest_force_std_ev_per_angstrom,
                one.least_known_atom,
                "yes" if one.trusted else "NO",
                one.reason,
            )
            for one in shown[:most_rows]
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
        tables=(trust_table(trust),),
        structures=graded_views(graded, STD_LABEL),
        details=dict(details),
    )

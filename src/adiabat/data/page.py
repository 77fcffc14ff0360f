"""A data set as a page of a report: tables and histograms."""

from collections.abc import Sequence

from adiabat.data.describe import Description, Range
from adiabat.data.findings import Finding
from adiabat.results import Bars, Figure, Page, Table

HISTOGRAMS = {
    "energy": ("Energy per atom, less its reference", "eV/atom", "structures"),
    "force": ("Force components", "eV/Å", "components"),
    "pressure": ("Pressure", "GPa", "structures"),
    "volume": ("Volume per atom", "Å³", "structures"),
    "distance": ("Distance of nearest neighbours", "Å", "atoms"),
}


def page(description: Description, findings: Sequence[Finding], *, title: str = "Data set") -> Page:
    """The description and the findings as a page of tables and figures."""
    found = f"{len(findings)} finding{'s' if len(findings) > 1 else ''}" if findings else "Nothing wrong was found"
    summary = (f"{description.structures} structures with {description.atoms} atoms. {found}.", *description.notes)
    first = (findings_table(findings),) if findings else ()
    return Page(title, summary=summary, tables=(*first, *tables(description)), figures=figures(description))


def tables(description: Description) -> tuple[Table, ...]:
    """Species, config types, ranges and shortest distances, each as a table."""
    return (
        _species_table(description),
        _config_type_table(description),
        _range_table(description),
        _distance_table(description),
    )


def findings_table(findings: Sequence[Finding]) -> Table:
    """One row per finding."""
    rows = tuple((f.name, f.severity, f.what, f.where, f.rule, f.mend) for f in findings)
    return Table("findings", "Findings", ("finding", "severity", "what", "place", "rule", "mend"), rows)


def figures(description: Description) -> tuple[Figure, ...]:
    """One histogram for each kind of value that the data hold."""
    drawn = []
    for name, histogram in description.histograms.items():
        title, unit, counted = HISTOGRAMS[name]
        bars = Bars(histogram.edges, histogram.counts, counted)
        scale = "log" if histogram.counts.max() > 1000 else "linear"
        drawn.append(Figure(f"{name}_histogram", title, f"{title} ({unit})", counted, (bars,), y_scale=scale))
    return tuple(drawn)


def _species_table(description: Description) -> Table:
    rows = tuple(
        (s.symbol, s.atoms, s.structures, _energy(s.reference_ev), s.reference_source) for s in description.species
    )
    columns = ("species", "atoms", "in structures", "reference energy (eV)", "from")
    return Table("species", "Species", columns, rows)


def _energy(value: float | None) -> str | None:
    """To 0.1 meV, however large."""
    return None if value is None else f"{value:.4f}"


def _config_type_table(description: Description) -> Table:
    rows = tuple(
        (c.config_type, c.structures, c.atoms, c.with_energy, c.with_forces, c.with_stress)
        for c in description.config_types
    )
    columns = ("config_type", "structures", "atoms", "with energy", "with forces", "with stress")
    return Table("config_types", "Kinds of structures and their labels", columns, rows)


def _range_table(description: Description) -> Table:
    named: tuple[tuple[str, Range | None], ...] = (
        (f"energy (eV/atom, less {description.energy_reference})", description.energy_per_atom_ev),
        ("force on an atom (eV/Å)", description.force_ev_per_angstrom),
        ("pressure (GPa)", description.pressure_gpa),
        ("largest shear stress (GPa)", description.shear_stress_gpa),
        ("volume per atom (Å³)", description.volume_per_atom_cubic_angstrom),
    )
    rows = tuple(
        (name, *(f"{value:.4g}" for value in (span.minimum, span.median, span.maximum)))
        for name, span in named
        if span is not None
    )
    return Table("ranges", "Ranges", ("quantity", "minimum", "median", "maximum"), rows)


def _distance_table(description: Description) -> Table:
    rows = tuple(description.shortest_distances_angstrom.items())
    return Table("distances", "Shortest distances", ("pair", "distance (Å)"), rows)

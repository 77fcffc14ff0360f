"""What Grüneisen parameters, the quasi-harmonic approximation and the conductivity show: sentences, tables and plots."""

import numpy as np

from adiabat.properties.measured import Measured
from adiabat.properties.phonons.conductivity import Conductivity
from adiabat.properties.phonons.gruneisen import Gruneisen
from adiabat.properties.phonons.quasi_harmonic import QuasiHarmonic
from adiabat.properties.phonons.views import along_path, path_words
from adiabat.results import Figure, Line, Table
from adiabat.typing import FloatArray

ROWS = 11
"""Temperatures of a table."""


def gruneisen_sentences(found: Gruneisen) -> tuple[str, ...]:
    """What was taken."""
    return (
        f"supercell of {' x '.join(map(str, found.repeats))} primitive cells of {found.formula}; "
        f"volumes {found.relative_volume_change:.1%} either way",
    )


def gruneisen_tables(found: Measured[Gruneisen]) -> tuple[Table, ...]:
    """Parameters at the points of high symmetry; averages by temperature."""
    result = found.result
    bars = _bars(found, "special_gruneisen")
    rows = tuple(
        (label, *(_shown(value, bar) for value, bar in zip(values, each, strict=True)))
        for label, values, each in zip(result.special_points, result.special_gruneisen, bars, strict=True)
    )
    modes = tuple(str(mode + 1) for mode in range(result.special_gruneisen.shape[1]))
    return (
        Table("special-points", "Mode Grüneisen parameters, modes by frequency", ("point", *modes), rows),
        _by_temperature(
            found,
            "averages",
            "Averages",
            (
                ("mean_gruneisen", "mean Grüneisen parameter", 1.0),
                ("thermal_expansion_per_k", "expansion (10⁻⁶/K)", 1e6),
            ),
        ),
    )


def gruneisen_figures(found: Measured[Gruneisen]) -> tuple[Figure, ...]:
    """Parameters along the path."""
    result, bars = found.result, _bars(found, "mode_gruneisen")
    known = found.error_bars is not None
    low, high = float(result.mode_gruneisen.min()), float(result.mode_gruneisen.max())
    lines = tuple(
        Line(result.path_per_angstrom, branch, f"mode {number + 1}", band=bar if known else None)
        for number, (branch, bar) in enumerate(zip(result.mode_gruneisen.T, bars.T, strict=True))
    )
    return (
        along_path(
            "gruneisen",
            "Mode Grüneisen parameters",
            "γ = -d ln ω / d ln V",
            result.path_per_angstrom,
            (low, high),
            lines,
            note=f"The path: {path_words(result.path)}. Modes are numbered by their frequency.",
        ),
    )


def quasi_harmonic_sentences(found: QuasiHarmonic) -> tuple[str, ...]:
    """What was taken."""
    volumes = found.relative_volumes
    return (
        f"supercell of {' x '.join(map(str, found.repeats))} primitive cells; {len(volumes)} volumes from {volumes[0]:g} to "
        f"{volumes[-1]:g} times that at rest; {found.pressure_gpa:g} GPa",
    )


def quasi_harmonic_tables(found: Measured[QuasiHarmonic]) -> tuple[Table, ...]:
    """By temperature."""
    columns = (
        ("volume_cubic_angstrom_per_atom", "volume (Å³/atom)", 1.0),
        ("thermal_expansion_per_k", "expansion of the volume (10⁻⁶/K)", 1e6),
        ("bulk_modulus_gpa", "bulk modulus (GPa)", 1.0),
        ("heat_capacity_kb_per_atom", "heat capacity at constant pressure (k_B/atom)", 1.0),
    )
    return (_by_temperature(found, "by-temperature", "By temperature", columns),)


def quasi_harmonic_figures(found: Measured[QuasiHarmonic]) -> tuple[Figure, ...]:
    """Volume, expansion and bulk modulus against temperature."""
    shown = (
        ("thermal_expansion_per_k", "Thermal expansion", "expansion of the volume (10⁻⁶/K)", 1e6),
        ("volume_cubic_angstrom_per_atom", "Volume", "volume (Å³/atom)", 1.0),
        ("bulk_modulus_gpa", "Bulk modulus", "isothermal bulk modulus (GPa)", 1.0),
    )
    return tuple(_against_temperature(found, *each) for each in shown)


def conductivity_sentences(found: Conductivity) -> tuple[str, ...]:
    """What was taken, and what is left out."""
    scattering = "phonons and isotopes scatter" if found.isotopes else "phonons scatter each other alone"
    return (
        f"{found.displacements} displacements in a supercell of {' x '.join(map(str, found.repeats))} primitive cells of {found.formula}; "
        f"mesh {' x '.join(map(str, found.mesh))}; {scattering}",
        "relaxation-time approximation, three phonons: see whether a denser --mesh changes it",
    )


def conductivity_tables(found: Measured[Conductivity]) -> tuple[Table, ...]:
    """By temperature."""
    column = ("mean_conductivity_w_per_m_k", "mean conductivity (W/m/K)", 1.0)
    return (_by_temperature(found, "by-temperature", "Lattice thermal conductivity", (column,)),)


def conductivity_figures(found: Measured[Conductivity]) -> tuple[Figure, ...]:
    """Conductivity against temperature; what phonons of short free paths carry."""
    result, std = found.result, found.std("share_of_shorter_free_paths")
    line = Line(
        result.free_paths_angstrom / 10,
        result.share_of_shorter_free_paths,
        f"{result.temperatures_k[0]:g} K",
        band=None if std is None else np.asarray(std),
    )
    shares = Figure(
        "free-paths",
        "Heat carried by phonons of shorter free paths",
        "free path (nm)",
        "share of the conductivity",
        (line,),
        x_scale="log",
    )
    title = "Lattice thermal conductivity"
    return _against_temperature(found, "mean_conductivity_w_per_m_k", title, "conductivity (W/m/K)", 1.0), shares


def _by_temperature(found: Measured, name: str, title: str, columns: tuple[tuple[str, str, float], ...]) -> Table:
    temperatures = found.result.temperatures_k
    places = np.unique(np.linspace(0, len(temperatures) - 1, ROWS).round().astype(int))
    values = [(getattr(found.result, field) * unit, _bars(found, field) * unit) for field, _, unit in columns]
    rows = tuple(
        (f"{temperatures[place]:g}", *(_shown(value[place], bar[place]) for value, bar in values)) for place in places
    )
    return Table(name, title, ("temperature (K)", *(label for _, label, _ in columns)), rows)


def _against_temperature(found: Measured, name: str, title: str, label: str, unit: float) -> Figure:
    std = found.std(name)
    line = Line(
        found.result.temperatures_k,
        unit * getattr(found.result, name),
        "potential",
        band=None if std is None else unit * np.asarray(std),
    )
    note = "" if std is None else "The band is one standard deviation wide either way."
    return Figure(name.replace("_", "-"), title, "temperature (K)", label, (line,), note=note)


def _bars(found: Measured, name: str) -> FloatArray:
    """Standard deviations; not a number where they are not known."""
    std = found.std(name)
    return np.full(getattr(found.result, name).shape, np.nan) if std is None else np.asarray(std)


def _shown(value: float | FloatArray, bar: float | FloatArray) -> str:
    shown = f"{float(value):.4g}"
    return shown if np.isnan(bar) else f"{shown} ± {float(bar):.2g}"

"""What phonons show: sentences, tables and plots."""

from collections.abc import Sequence

import numpy as np

from adiabat.properties.measured import Measured
from adiabat.properties.phonons.phonons import Phonons
from adiabat.results import Figure, Line, Table
from adiabat.typing import FloatArray


def phonon_sentences(found: Phonons) -> tuple[str, ...]:
    """The supercell, and what is to be known before the numbers."""
    cell = f"supercell of {' x '.join(str(n) for n in found.repeats)} primitive cells of {found.formula}"
    said = [f"{cell}: images of an atom are {found.images_angstrom:.2f} Å apart"]
    if not found.exact:
        said.append(
            "some pairs of atoms that act on each other are farther apart than that: see whether more --repeats change the frequencies"
        )
    if found.with_charges:
        said.append("with the long-ranged field of effective charges")
    if found.stable:
        said.append("no imaginary mode")
    else:
        said.append(
            f"IMAGINARY MODES at {'; '.join(found.imaginary_modes)}: the crystal is not a minimum, and has no thermodynamics"
        )
    return tuple(said)


def phonon_tables(found: Measured[Phonons]) -> tuple[Table, ...]:
    """Frequencies at the points of high symmetry; sound from the slopes, and from the stiffness."""
    result = found.result
    at_points = _bars(found, "special_frequencies_thz")
    rows = tuple(
        (label, *(_with_bar(value, bar) for value, bar in zip(values, bars, strict=True)))
        for label, values, bars in zip(result.special_points, result.special_frequencies_thz, at_points, strict=True)
    )
    modes = tuple(str(mode + 1) for mode in range(result.special_frequencies_thz.shape[1]))
    slopes, elastic = _bars(found, "sound_speeds_m_per_s"), _bars(found, "elastic_sound_speeds_m_per_s")
    sound = tuple(
        (
            axis,
            branch + 1,
            _with_bar(result.sound_speeds_m_per_s[row, branch], slopes[row, branch]),
            _with_bar(result.elastic_sound_speeds_m_per_s[row, branch], elastic[row, branch]),
        )
        for row, axis in enumerate("xyz")
        for branch in range(3)
    )
    return (
        Table("special-points", "Frequencies (THz)", ("point", *modes), rows),
        Table("sound", "Speed of sound (m/s)", ("along", "branch", "from the dispersion", "from the stiffness"), sound),
    )


def phonon_figures(found: Measured[Phonons]) -> tuple[Figure, ...]:
    """Dispersion, density of states, heat capacity."""
    result = found.result
    figures = [_dispersion(found), _density(found)]
    if result.heat_capacity_kb_per_atom is not None:
        std = found.std("heat_capacity_kb_per_atom")
        line = Line(
            result.temperatures_k,
            result.heat_capacity_kb_per_atom,
            "constant volume",
            band=None if std is None else np.asarray(std),
        )
        figures.append(Figure("heat-capacity", "Heat capacity", "temperature (K)", "heat capacity (k_B/atom)", (line,)))
    return tuple(figures)


def _dispersion(found: Measured[Phonons]) -> Figure:
    result, bars = found.result, _bars(found, "frequencies_thz")
    known = found.error_bars is not None
    branches = tuple(
        Line(result.path_per_angstrom, branch, f"branch {number + 1}", band=bar if known else None)
        for number, (branch, bar) in enumerate(zip(result.frequencies_thz.T, bars.T, strict=True))
    )
    return along_path(
        "dispersion",
        "Phonon dispersion",
        "frequency (THz); negative: imaginary",
        result.path_per_angstrom,
        (min(0.0, result.lowest_frequency_thz), result.highest_frequency_thz),
        branches,
        note=f"The path: {path_words(result.path)}."
        + (" Bands are one standard deviation wide either way." if known else ""),
    )


def along_path(
    name: str,
    title: str,
    y_label: str,
    per_angstrom: FloatArray,
    heights: tuple[float, float],
    lines: tuple[Line, ...],
    *,
    note: str,
) -> Figure:
    """Lines along a path through reciprocal space, with guides where it turns.

    Args:
        name: Of the figure.
        title: Likewise.
        y_label: Likewise.
        per_angstrom: (q,) lengths along the path, each end of a line of it twice.
        heights: From where to where guides go.
        lines: What is drawn.
        note: Of the figure.
    """
    corner = np.flatnonzero(np.diff(per_angstrom) < 1e-12)
    ends = np.unique(np.concatenate([per_angstrom[:1], per_angstrom[corner], per_angstrom[-1:]]).round(9))
    guides = tuple(Line(np.array([x, x]), np.array(heights), f"{x:.3f} 1/Å", dashed=True) for x in ends)
    return Figure(
        name=name, title=title, x_label="along the path (1/Å)", y_label=y_label, marks=(*guides, *lines), note=note
    )


def path_words(path: Sequence[tuple[str, str]]) -> str:
    """``Γ - X, U - K - Γ - L``."""
    words = path[0][0]
    for place, (first, last) in enumerate(path):
        jumped = place > 0 and path[place - 1][1] != first
        words += (f", {first}" if jumped else "") + f" - {last}"
    return words


def _density(found: Measured[Phonons]) -> Figure:
    result, std = found.result, found.std("density_of_states_per_thz")
    line = Line(
        result.dos_frequencies_thz,
        result.density_of_states_per_thz,
        "density of states",
        band=None if std is None else np.asarray(std),
    )
    return Figure(
        "density-of-states", "Density of states", "frequency (THz)", "modes per THz and primitive cell", (line,)
    )


def _bars(found: Measured[Phonons], name: str) -> FloatArray:
    """Standard deviations; not a number where they are not known."""
    std = found.std(name)
    return np.full(getattr(found.result, name).shape, np.nan) if std is None else np.asarray(std)


def _with_bar(value: float, bar: float) -> str:
    digits = 2 if abs(value) < 100 else 0
    shown = f"{round(float(value), digits) + 0.0:.{digits}f}"
    return shown if np.isnan(bar) else f"{shown} ± {bar:.{digits}f}"

"""Polymorphs: which crystal of a composition is stable at which pressure, and how sure that is."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np
from ase import Atoms
from scipy.interpolate import CubicHermiteSpline

from adiabat.errors import SimulationError, StructureError
from adiabat.potential import Potential
from adiabat.properties.parts import committees_by_part, require_members_known
from adiabat.properties.relaxation import Relaxation, relax
from adiabat.properties.relaxation.relaxed import TIGHT
from adiabat.results import Figure, Line, Result, Table
from adiabat.typing import FloatArray
from adiabat.units import GPA_PER_EV_PER_CUBIC_ANGSTROM

PRESSURES_GPA = np.linspace(0.0, 20.0, 5)


@dataclass(frozen=True)
class Polymorphs(Result):
    """Enthalpies at zero temperature, without zero-point motion; energies relative to the polymorph that is lowest at the first pressure.

    Standard deviations are of differences: errors that polymorphs have in common cancel.

    Attributes:
        names: (n) of the polymorphs, as they were given.
        space_groups: (n) after relaxation at the first pressure.
        pressures_gpa: (p) ascending.
        enthalpies_ev_per_atom: (n, p) relative to the lowest at the first pressure.
        enthalpies_ev_per_atom_std: (n, p) of the difference; None where the potential does not know how sure it is.
        volumes_cubic_angstrom_per_atom: (n, p).
        order: (n) names by enthalpy at the first pressure, the lowest first.
        probability_lowest: (n, p) shares of the members for which the polymorph is the lowest; None as above.
        transitions: Pairs of names, stable below and above each transition on the way up in pressure.
        transition_pressures_gpa: Of these.
        transition_pressures_gpa_std: As above; not a number where most members have no such transition in the range.
        transition_probabilities: Shares of the members that have the transition in the range.
    """

    names: tuple[str, ...]
    space_groups: tuple[str | None, ...]
    pressures_gpa: FloatArray
    enthalpies_ev_per_atom: FloatArray
    enthalpies_ev_per_atom_std: FloatArray | None
    volumes_cubic_angstrom_per_atom: FloatArray
    order: tuple[str, ...]
    probability_lowest: FloatArray | None
    transitions: tuple[tuple[str, str], ...]
    transition_pressures_gpa: FloatArray
    transition_pressures_gpa_std: FloatArray | None
    transition_probabilities: FloatArray | None


@dataclass(frozen=True)
class Enthalpies:
    """What one potential says.

    Attributes:
        enthalpies: (n, p) eV/atom.
        volumes: (n, p) Å³/atom.
        structures: (n) relaxed at the first pressure.
    """

    enthalpies: FloatArray
    volumes: FloatArray
    found: tuple[Relaxation, ...] = field(repr=False)


def polymorphs(
    structures: Sequence[Atoms],
    potential: Potential,
    *,
    names: Sequence[str] | None = None,
    pressures_gpa: Sequence[float] | FloatArray = PRESSURES_GPA,
    members: int | None = None,
    seed: int | None = None,
) -> Polymorphs:
    """Rank crystals of one composition over pressure; each is relaxed at each pressure, all of them together.

    Args:
        structures: Two or more.
        potential: What they are made of.
        names: Of the structures; by default their number and formula.
        pressures_gpa: Two or more.
        members: Drawn for each part of the error bars, as `propagate` takes them.
        seed: Likewise.

    Raises:
        ConfigurationError: Members of a potential that does not know how sure it is.
        StructureError: Too few of either, or compositions that differ.
        SimulationError: One of them does not come to rest, with the potential or with a member.
    """
    pressures = np.unique(np.asarray(pressures_gpa, dtype=np.float64))
    _require_comparable(structures, pressures)
    require_members_known(potential, members)
    labels = tuple(names or (f"{place}: {atoms.get_chemical_formula()}" for place, atoms in enumerate(structures)))
    own = enthalpies(structures, potential, pressures)
    lowest = int(own.enthalpies[:, 0].argmin())
    relative = own.enthalpies - own.enthalpies[lowest]
    theirs = _of_members(own, potential, pressures, members, seed)
    pairs, at = transitions(own, pressures)
    return Polymorphs(
        names=labels,
        space_groups=tuple(one.space_group for one in own.found),
        pressures_gpa=pressures,
        enthalpies_ev_per_atom=relative,
        enthalpies_ev_per_atom_std=None if theirs is None else _std(relative, theirs, lowest),
        volumes_cubic_angstrom_per_atom=own.volumes,
        order=tuple(labels[place] for place in np.argsort(own.enthalpies[:, 0], kind="stable")),
        probability_lowest=None
        if theirs is None
        else _lowest_shares([one for part in theirs.values() for one in part]),
        transitions=tuple((labels[low], labels[high]) for low, high in pairs),
        transition_pressures_gpa=np.array(at),
        **_transition_bars(pairs, at, theirs, pressures),
    )


def enthalpies(structures: Sequence[Atoms], potential: Potential, pressures_gpa: FloatArray) -> Enthalpies:
    """Of each structure at each pressure.

    Raises:
        SimulationError: One of them does not come to rest.
    """
    rows: list[list[Relaxation]] = []
    begin = list(structures)
    for pressure in pressures_gpa:
        found = relax(begin, potential, replace(TIGHT, pressure_gpa=float(pressure)))
        for place, one in enumerate(found):
            if not one.converged:
                raise SimulationError(
                    f"structure {place}, {one.formula}, does not come to rest at {pressure:g} GPa",
                    place="polymorphs",
                    rule="enthalpies are of crystals at rest",
                    mend=one.advice,
                )
        rows.append(found)
        begin = [one.atoms for one in found]
    values = np.array([[one.enthalpy_ev_per_atom for one in found] for found in rows]).T
    volumes = np.array([[one.atoms.get_volume() / len(one.atoms) for one in found] for found in rows]).T
    return Enthalpies(values, volumes, tuple(rows[0]))


def transitions(found: Enthalpies, pressures_gpa: FloatArray) -> tuple[list[tuple[int, int]], list[float]]:
    """Changes of the lowest polymorph on the way up in pressure: (stable below, stable above), and where.

    Enthalpies between the pressures are cubic, with the volumes as their slopes.
    """
    pairs, at = [], []
    for low, high in combinations(range(len(found.enthalpies)), 2):
        for root in crossings(found, pressures_gpa, low, high):
            others = _at(found, pressures_gpa, root)
            if others.argsort()[:2].tolist() in ([low, high], [high, low]):
                before = _at(found, pressures_gpa, root - 1e-6)
                pairs.append((low, high) if before[low] < before[high] else (high, low))
                at.append(root)
    order = np.argsort(at)
    return [pairs[place] for place in order], [at[place] for place in order]


def crossings(found: Enthalpies, pressures_gpa: FloatArray, low: int, high: int) -> list[float]:
    """GPa where two polymorphs have one enthalpy, within the range."""
    difference = found.enthalpies[low] - found.enthalpies[high]
    slope = (found.volumes[low] - found.volumes[high]) / GPA_PER_EV_PER_CUBIC_ANGSTROM
    roots = CubicHermiteSpline(pressures_gpa, difference, slope).roots(extrapolate=False)
    return [float(root) for root in roots if np.isfinite(root)]


def _at(found: Enthalpies, pressures_gpa: FloatArray, pressure: float) -> FloatArray:
    slopes = found.volumes / GPA_PER_EV_PER_CUBIC_ANGSTROM
    return np.asarray(CubicHermiteSpline(pressures_gpa, found.enthalpies, slopes, axis=1)(pressure))


def _of_members(
    own: Enthalpies, potential: Potential, pressures: FloatArray, members: int | None, seed: int | None
) -> dict[str, list[Enthalpies]] | None:
    """By part of the uncertainty; None where the potential does not know how sure it is."""
    if not potential.has_uncertainty:
        return None
    begin = [one.atoms for one in own.found]
    return {
        part: [enthalpies(begin, member, pressures) for member in committee.members]
        for part, committee in committees_by_part(potential, members, seed).items()
    }


def _std(relative: FloatArray, theirs: dict[str, list[Enthalpies]], lowest: int) -> FloatArray:
    """(n, p) of the difference from the lowest, around what the potential itself gives, parts in quadrature."""
    squares = np.zeros_like(relative)
    for part in theirs.values():
        drawn = np.array([one.enthalpies - one.enthalpies[lowest] for one in part])
        squares += np.mean((drawn - relative) ** 2, axis=0)
    return np.sqrt(squares)


def _lowest_shares(theirs: Sequence[Enthalpies]) -> FloatArray:
    """(n, p)."""
    first = np.array([one.enthalpies.argmin(0) for one in theirs])
    return np.array([(first == place).mean(0) for place in range(len(theirs[0].enthalpies))])


def _transition_bars(
    pairs: Sequence[tuple[int, int]],
    at: Sequence[float],
    theirs: dict[str, list[Enthalpies]] | None,
    pressures: FloatArray,
) -> dict[str, FloatArray | None]:
    if theirs is None:
        return {"transition_pressures_gpa_std": None, "transition_probabilities": None}
    bars, shares = [], []
    for (low, high), own in zip(pairs, at, strict=True):
        square, seen, count = 0.0, 0, 0
        for part in theirs.values():
            found = [crossings(one, pressures, low, high) for one in part]
            nearest = np.array([min(each, key=lambda root: abs(root - own)) for each in found if each])
            seen, count = seen + len(nearest), count + len(part)
            square += float(np.mean((nearest - own) ** 2)) if 2 * len(nearest) > len(part) else np.nan
        bars.append(np.sqrt(square))
        shares.append(seen / count)
    return {"transition_pressures_gpa_std": np.array(bars), "transition_probabilities": np.array(shares)}


def _require_comparable(structures: Sequence[Atoms], pressures: FloatArray) -> None:
    if len(structures) < 2 or len(pressures) < 2:
        raise StructureError(
            f"{len(structures)} structures at {len(pressures)} pressures",
            place="polymorphs",
            rule="a ranking over pressure takes two or more of either",
            mend="give more",
        )
    formulas = [atoms.symbols.formula.reduce()[0].format("hill") for atoms in structures]
    if len(set(formulas)) > 1:
        raise StructureError(
            f"the compositions are {', '.join(sorted(set(formulas)))}",
            place="polymorphs",
            rule="polymorphs have one composition",
            mend="compare what differs in composition by formation energies",
        )


def polymorph_tables(found: Polymorphs) -> tuple[Table, ...]:
    """The ranking at each pressure, and the transitions."""
    std, shares = found.enthalpies_ev_per_atom_std, found.probability_lowest
    ranking = tuple(
        (
            float(pressure),
            found.names[place],
            found.space_groups[place] or "",
            1e3 * float(found.enthalpies_ev_per_atom[place, column]),
            None if std is None else 1e3 * float(std[place, column]),
            None if shares is None else float(shares[place, column]),
            float(found.volumes_cubic_angstrom_per_atom[place, column]),
        )
        for column, pressure in enumerate(found.pressures_gpa)
        for place in np.argsort(found.enthalpies_ev_per_atom[:, column], kind="stable")
    )
    columns = (
        "pressure (GPa)",
        "polymorph",
        "space group",
        "enthalpy (meV/atom)",
        "std",
        "lowest with probability",
        "volume (Å³/atom)",
    )
    bars, chances = found.transition_pressures_gpa_std, found.transition_probabilities
    changes = tuple(
        (
            below,
            above,
            float(found.transition_pressures_gpa[place]),
            None if bars is None else float(bars[place]),
            None if chances is None else float(chances[place]),
        )
        for place, (below, above) in enumerate(found.transitions)
    )
    return (
        Table("ranking", "Polymorphs by enthalpy", columns, ranking),
        Table("transitions", "Transitions", ("from", "to", "pressure (GPa)", "std", "of the members"), changes),
    )


def polymorph_figures(found: Polymorphs) -> tuple[Figure, ...]:
    """Enthalpies over pressure."""
    std = found.enthalpies_ev_per_atom_std
    lines = tuple(
        Line(
            found.pressures_gpa,
            1e3 * values,
            found.names[place],
            band=None if std is None else 1e3 * std[place],
        )
        for place, values in enumerate(found.enthalpies_ev_per_atom)
    )
    note = "" if std is None else "Bands are one standard deviation of the difference wide either way."
    return (
        Figure(
            "enthalpies",
            "Enthalpies of polymorphs",
            "pressure (GPa)",
            "enthalpy above the first (meV/atom)",
            lines,
            note=note,
        ),
    )

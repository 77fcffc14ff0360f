"""Random-start search of a potential's minima: which there are, which are holes, and where nothing holds atoms."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from ase import Atoms

from adiabat.potential import Potential
from adiabat.properties.landscape.compare import Compared, compared_with, energies_above
from adiabat.properties.landscape.starts import random_starts, shortest_distance
from adiabat.properties.paths.modes import modes
from adiabat.properties.relaxation import Relaxation, RelaxationSettings, relax
from adiabat.properties.saddles import saddles
from adiabat.properties.saddles.follow import FollowSettings
from adiabat.results import EXACT, IN_MEMORY, Figure, Mark, Points, Result, Table
from adiabat.typing import FloatArray

Kind = Literal["minimum", "hole", "saddle", "spurious"]

SAME_EV_PER_ATOM, SAME_VOLUME, SAME_DISTANCE = 1e-3, 0.005, 0.01
"""Minima nearer than these (the last two relative) are one."""

DRAWN_IN = 0.7
"""Of the shortest distance in the structure that the search began with: atoms nearer than this have fallen into one another."""

SADDLES_AROUND = 3
"""The lowest minima, around which saddles are searched where they are asked for."""

CRYSTAL = RelaxationSettings(cell="free", force_tolerance_ev_per_angstrom=2e-3, stress_tolerance_gpa=0.05, steps=600)
MOLECULE = RelaxationSettings(force_tolerance_ev_per_angstrom=2e-3, steps=600)


@dataclass(frozen=True)
class Landscape(Result):
    """Minima of a potential, the lowest first.

    Attributes:
        formula: Of the structure.
        starts: Random ones.
        lost: That the potential did not hold together: atoms fell into one another, or the cell collapsed or evaporated.
        not_converged: That did not come to rest.
        kinds: (n) "minimum"; "hole", where atoms have fallen into one another; "saddle", where a mode is unstable; "spurious", where the
            reference does not hold the structure.
        energies_ev_per_atom: (n) above that of the structure the search began with, at rest.
        volumes_cubic_angstrom_per_atom: (n); None of molecules.
        shortest_distances_angstrom: (n).
        found_times: (n).
        negative_modes: (n).
        saddle_barriers_ev: Above the minimum whose saddles were searched, all of them in one list.
        saddle_minima: The place of that minimum, of each.
        compared: What a reference says of each minimum; None without one.
        saddles_compared: What it says of each saddle.
        structures: (n).
        saddle_structures: All of them.
        lost_structures: As they began.
        rest: The structure the search began with, at rest.
    """

    formula: str
    starts: int
    lost: int
    not_converged: int
    kinds: tuple[Kind, ...]
    energies_ev_per_atom: FloatArray = field(metadata=EXACT)
    volumes_cubic_angstrom_per_atom: FloatArray | None = field(metadata=EXACT)
    shortest_distances_angstrom: FloatArray = field(metadata=EXACT)
    found_times: tuple[int, ...]
    negative_modes: tuple[int, ...]
    saddle_barriers_ev: FloatArray = field(metadata=EXACT)
    saddle_minima: tuple[int, ...]
    compared: Compared | None
    saddles_compared: FloatArray | None = field(metadata=EXACT)
    structures: tuple[Atoms, ...] = field(metadata=IN_MEMORY)
    saddle_structures: tuple[Atoms, ...] = field(metadata=IN_MEMORY)
    lost_structures: tuple[Atoms, ...] = field(metadata=IN_MEMORY)
    rest: Atoms = field(metadata=IN_MEMORY)

    @property
    def suspicious(self) -> list[int]:
        """Places of holes and spurious minima."""
        return [place for place, kind in enumerate(self.kinds) if kind in ("hole", "spurious")]


def landscape(
    like: Atoms,
    potential: Potential,
    *,
    starts: int = 64,
    saddle_searches: int = 0,
    reference: Potential | None = None,
    seed: int = 0,
) -> Landscape:
    """Relax random structures, tell their minima apart, and compare them with a reference.

    Args:
        like: Whose atoms, density and shortest distance are taken.
        potential: Whose surface it is.
        starts: Random ones, relaxed together; crystals with their cells.
        saddle_searches: Around each of the three lowest minima.
        reference: Another potential or a calculator.
        seed: Of the starts.

    Raises:
        ConfigurationError: As `random_starts`.
        StructureError: The structure cannot be evaluated.
    """
    settings = CRYSTAL if like.pbc.all() else MOLECULE
    begun = random_starts(like, starts, seed=seed)
    first, *found = relax([like, *begun], potential, settings)
    bound = DRAWN_IN * shortest_distance(first.atoms)
    kept = [one for one in found if one.converged]
    lost = [atoms for atoms, one in zip(begun, found, strict=True) if _is_lost(one, bound)]
    distinct = _distinct(kept)
    structures = [one.atoms for one, _ in distinct]
    negative = [modes(atoms, potential, np.ones(len(atoms), dtype=bool)).negative for atoms in structures]
    distances = np.array([shortest_distance(atoms) for atoms in structures])
    compared = None if reference is None else compared_with(structures, first.atoms, potential, reference, settings)
    above, own, barriers = _saddles(structures, negative, potential, saddle_searches)
    return Landscape(
        formula=like.get_chemical_formula(),
        starts=starts,
        lost=len(lost),
        not_converged=len(found) - len(kept) - len(lost),
        kinds=tuple(
            _kind(place, float(distances[place]), bound, negative[place], compared) for place in range(len(structures))
        ),
        energies_ev_per_atom=np.array([one.energy_ev_per_atom - first.energy_ev_per_atom for one, _ in distinct]),
        volumes_cubic_angstrom_per_atom=np.array([one.atoms.get_volume() / len(like) for one, _ in distinct])
        if like.pbc.all()
        else None,
        shortest_distances_angstrom=distances,
        found_times=tuple(times for _, times in distinct),
        negative_modes=tuple(negative),
        saddle_barriers_ev=barriers,
        saddle_minima=tuple(own),
        compared=compared,
        saddles_compared=None
        if reference is None or not above
        else energies_above(above, [structures[place] for place in own], reference),
        structures=tuple(structures),
        saddle_structures=tuple(above),
        lost_structures=tuple(lost),
        rest=first.atoms,
    )


def _is_lost(one: Relaxation, bound: float) -> bool:
    if one.converged:
        return False
    return "does not hold this structure" in (one.advice or "") or shortest_distance(one.atoms) < bound


def _distinct(kept: Sequence[Relaxation]) -> list[tuple[Relaxation, int]]:
    """One of each minimum, the lowest first, and how often it was found."""
    found: list[tuple[Relaxation, int]] = []
    for one in sorted(kept, key=lambda relaxation: relaxation.energy_ev_per_atom):
        for place, (known, times) in enumerate(found):
            if _same(one, known):
                found[place] = (known, times + 1)
                break
        else:
            found.append((one, 1))
    return found


def _same(one: Relaxation, other: Relaxation) -> bool:
    if abs(one.energy_ev_per_atom - other.energy_ev_per_atom) > SAME_EV_PER_ATOM:
        return False
    volumes = [each.volume_cubic_angstrom or 1.0 for each in (one, other)]  # molecules have none
    if abs(volumes[0] / volumes[1] - 1) > SAME_VOLUME:
        return False
    return abs(shortest_distance(one.atoms) / shortest_distance(other.atoms) - 1) < SAME_DISTANCE


def _kind(place: int, distance: float, bound: float, negative: int, compared: Compared | None) -> Kind:
    if distance < bound:
        return "hole"
    if compared is not None and compared.spurious[place]:
        return "spurious"
    return "saddle" if negative else "minimum"


def _saddles(
    structures: Sequence[Atoms], negative: Sequence[int], potential: Potential, searches: int
) -> tuple[list[Atoms], list[int], FloatArray]:
    above: list[Atoms] = []
    own: list[int] = []
    barriers: list[float] = []
    lowest = [place for place, modes_below in enumerate(negative) if not modes_below][
        : SADDLES_AROUND if searches else 0
    ]
    for place in lowest:
        found = saddles(structures[place], potential, searches=searches, settings=FollowSettings(steps=200))
        above += found.structures
        own += [place] * len(found.structures)
        barriers += found.barrier_ev.tolist()
    return above, own, np.array(barriers)


def landscape_sentences(found: Landscape) -> tuple[str, ...]:
    """What the search found."""
    said = [
        f"{found.formula}: {found.starts} random starts, {len(found.structures)} different minima; "
        f"{found.not_converged} did not come to rest"
    ]
    if found.lost:
        said.append(f"HOLES: {found.lost} starts were not held together; they are written as they began")
    for kind, name in (("hole", "HOLES: minima with atoms fallen into one another"), ("spurious", "SPURIOUS minima")):
        places = [str(place) for place, one in enumerate(found.kinds) if one == kind]
        if places:
            said.append(f"{name}: {', '.join(places)}")
    deeper = [str(place) for place, energy in enumerate(found.energies_ev_per_atom) if energy < -SAME_EV_PER_ATOM]
    if deeper:
        said.append(f"deeper than the structure that the search began with: {', '.join(deeper)}")
    return tuple(said)


def landscape_table(found: Landscape) -> Table:
    """One row a minimum."""
    rows = []
    for place, kind in enumerate(found.kinds):
        compared = found.compared
        rows.append(
            (
                place,
                kind,
                float(found.energies_ev_per_atom[place]),
                None
                if found.volumes_cubic_angstrom_per_atom is None
                else float(found.volumes_cubic_angstrom_per_atom[place]),
                float(found.shortest_distances_angstrom[place]),
                found.found_times[place],
                None if compared is None else float(compared.energies_ev_per_atom[place]),
                None if compared is None else float(compared.falls_ev_per_atom[place]),
            )
        )
    columns = (
        "minimum",
        "kind",
        "energy (eV/atom)",
        "volume (Å³/atom)",
        "shortest distance (Å)",
        "found",
        "reference (eV/atom)",
        "falls under the reference (eV/atom)",
    )
    return Table("minima", "Minima", columns, tuple(rows))


def landscape_figures(found: Landscape) -> tuple[Figure, ...]:
    """Energies against volumes or distances; and against the reference's."""
    if not found.structures:
        return ()
    x, label = found.shortest_distances_angstrom, "shortest distance (Å)"
    if found.volumes_cubic_angstrom_per_atom is not None:
        x, label = found.volumes_cubic_angstrom_per_atom, "volume (Å³/atom)"
    kinds = np.array(found.kinds)
    marks: list[Mark] = [
        Points(x[kinds == kind], found.energies_ev_per_atom[kinds == kind], str(kind))
        for kind in dict.fromkeys(found.kinds)
    ]
    figures = [Figure("minima", "Minima", label, "energy (eV/atom)", tuple(marks))]
    if found.compared is not None:
        points = Points(found.compared.energies_ev_per_atom, found.energies_ev_per_atom, "minima")
        figures.append(
            Figure(
                "reference", "Minima by both", "reference (eV/atom)", "potential (eV/atom)", (points,), equal_axes=True
            )
        )
    return tuple(figures)

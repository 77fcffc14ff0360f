"""Saddles around a minimum: many searches in random directions, what they find told apart and verified."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from ase import Atoms
from ase.constraints import FixAtoms

from adiabat.errors import ConfigurationError, SimulationError, StructureError
from adiabat.potential import Potential
from adiabat.properties.arrays import evaluated
from adiabat.properties.paths.modes import Modes, modes
from adiabat.properties.paths.rates import log10_prefactor
from adiabat.properties.relaxation import RelaxationSettings, relaxed
from adiabat.properties.saddles.follow import Followed, FollowSettings, follow_lowest_mode
from adiabat.properties.saddles.prfo import partitioned_rational_function
from adiabat.properties.saddles.verify import Verified, same_structure, verified
from adiabat.results import EXACT, IN_MEMORY, Bars, Figure, Result, Table
from adiabat.typing import FloatArray

SAME_EV = 2e-3
"""Saddles nearer in energy, whose atoms stand in the same places or whose modes agree, are one."""

REST = RelaxationSettings(force_tolerance_ev_per_angstrom=1e-3, steps=1000)
POLISHED_ATOMS = 150
"""Up to so many atoms a saddle is polished by its Hessian, whose cost grows with their square."""


@dataclass(frozen=True)
class Saddles(Result):
    """Saddles of first order around a minimum, the lowest first.

    Attributes:
        formula: Of the structure.
        searches: How many were begun.
        slid_back: That ended where no mode curves down: back in the basin, or another minimum.
        not_converged: That had not come to rest.
        of_higher_order: That came to a point with several unstable modes.
        advice: What to do where searches failed; None where all found a saddle.
        barrier_ev: (n) above the minimum.
        reverse_barrier_ev: (n) above the lowest other side; from the minimum itself where both sides lead back to it.
        unstable_frequency_thz: (n) as positive numbers.
        log10_prefactor_per_s: (n) of Vineyard's prefactor, from the minimum.
        found_times: (n).
        leads_to_start: (n) whether one side leads back to the minimum: otherwise the barrier is not of one hop.
        leads_to: (n) the places of given minima that the two sides lead to; None of another.
        largest_force_ev_per_angstrom: (n) at the saddle.
        minimum: At rest.
        structures: (n) saddles.
    """

    formula: str
    searches: int
    slid_back: int
    not_converged: int
    of_higher_order: int
    advice: str | None
    barrier_ev: FloatArray
    reverse_barrier_ev: FloatArray
    unstable_frequency_thz: FloatArray
    log10_prefactor_per_s: FloatArray
    found_times: tuple[int, ...]
    leads_to_start: tuple[bool, ...]
    leads_to: tuple[tuple[int | None, int | None], ...]
    largest_force_ev_per_angstrom: FloatArray = field(metadata=EXACT)
    minimum: Atoms = field(metadata=IN_MEMORY)
    structures: tuple[Atoms, ...] = field(metadata=IN_MEMORY)


def saddles(
    start: Atoms,
    potential: Potential,
    *,
    searches: int = 16,
    push_angstrom: float = 0.3,
    center: int | None = None,
    minima: Sequence[Atoms] = (),
    settings: FollowSettings | None = None,
    seed: int = 0,
) -> Saddles:
    """Push a minimum in random directions, follow the lowest mode up, polish and verify.

    Args:
        start: Near a minimum, to which it is relaxed. Atoms held by `FixAtoms` stay.
        potential: On whose surface.
        searches: All followed together.
        push_angstrom: Of the atoms that are pushed.
        center: An atom: it and those near it are pushed; None for all.
        minima: To which the sides may lead; the minimum itself is always among them.
        settings: When a search ends.
        seed: Of the directions.

    Raises:
        ConfigurationError: No search, or no such atom.
        SimulationError: The start does not come to rest.
        StructureError: It comes to rest where a mode is unstable; or as of the potential.
    """
    _require(start, searches, push_angstrom, center)
    rest = relaxed(start, potential, settings=REST)
    moves = moving(rest)
    at_rest = modes(rest, potential, moves)
    _require_minimum(rest, at_rest)
    pushes = _pushes(rest, moves, searches, push_angstrom, center, seed)
    found = follow_lowest_mode(rest, potential, rest.positions + pushes, pushes, moves=moves, settings=settings)
    places, counts = _distinct(found, rest)
    checked = [_polished(rest, potential, found, place, moves, minima) for place in places]
    return _result(rest, potential, at_rest, found, list(zip(checked, counts, strict=True)))


def moving(atoms: Atoms) -> np.ndarray:
    """(N,) bool: atoms that `FixAtoms` does not hold."""
    free = np.ones(len(atoms), dtype=bool)
    for constraint in atoms.constraints:
        if isinstance(constraint, FixAtoms):
            free[constraint.index] = False
    return free


def saddles_of_member(found: Saddles, member: Potential) -> Saddles:
    """The same saddles by another potential, from where they are.

    Raises:
        SimulationError: One of them is none by this potential, or the minimum does not come to rest.
    """
    rest, moves = relaxed(found.minimum, member, settings=REST), moving(found.minimum)
    checked = []
    for place, saddle in enumerate(found.structures):
        own = modes(saddle, member, moves).lowest
        near = follow_lowest_mode(saddle, member, saddle.positions[None], own[None], moves=moves)
        if not near.converged[0]:
            raise SimulationError(
                f"saddle {place} is none by this member",
                rule="an error bar is over members that have the saddle",
                mend="see whether the saddle is known to the potential at all",
            )
        checked.append(_polished(rest, member, near, 0, moves, ()))
    pairs = list(zip(checked, found.found_times, strict=True))
    return _collected(rest, member, modes(rest, member, moves), pairs, (found.searches, 0, 0, 0), keep_order=True)


def _require(start: Atoms, searches: int, push: float, center: int | None) -> None:
    if searches < 1 or not 0 < push < 5 or (center is not None and not 0 <= center < len(start)):
        raise ConfigurationError(
            f"{searches} searches, a push of {push} Å around atom {center}",
            place="saddles",
            rule=f"one search or more, a push of less than 5 Å, and an atom from 0 to {len(start) - 1}",
            mend="take 16 searches and 0.3 Å",
        )


def _require_minimum(rest: Atoms, at_rest: Modes) -> None:
    if at_rest.negative:
        raise StructureError(
            f"{at_rest.negative} modes of the structure at rest are unstable, the lowest at "
            f"{-at_rest.frequencies_thz[0]:.3g} THz (imaginary)",
            place=f"saddles around {rest.get_chemical_formula()}",
            rule="saddles are searched around a minimum",
            mend="displace its atoms a little, off its symmetry, and begin from there",
        )


def _pushes(rest: Atoms, moves: np.ndarray, searches: int, push: float, center: int | None, seed: int) -> FloatArray:
    """(S, N, 3) Å: random, their longest vector as long as asked for."""
    random = np.random.default_rng(seed)
    weights = moves.astype(float)
    if center is not None:
        away = rest.get_distances(center, np.arange(len(rest)), mic=bool(rest.pbc.any()))
        nearest = np.sort(away[away > 0])[0] if len(rest) > 1 else 1.0
        weights = weights * np.exp(-((away / nearest) ** 2))
    pushes = random.standard_normal((searches, len(rest), 3)) * weights[:, None]
    return push * pushes / np.linalg.norm(pushes, axis=2).max(1)[:, None, None]


def _distinct(found: Followed, rest: Atoms) -> tuple[list[int], list[int]]:
    """Places of saddles that differ, and how often each was found."""
    places: list[int] = []
    counts: Counter[int] = Counter()
    for place in np.flatnonzero(found.converged):
        for known in places:
            alike = abs(found.energies[place] - found.energies[known]) < SAME_EV
            if alike and abs(found.curvatures[place] / found.curvatures[known] - 1) < 0.05:
                counts[known] += 1
                break
        else:
            places.append(int(place))
            counts[int(place)] = 1
    return places, [counts[place] for place in places]


@dataclass(frozen=True)
class _Checked:
    saddle: Atoms
    energy: float
    force: float
    known: Verified
    returns: bool


def _polished(
    rest: Atoms, potential: Potential, found: Followed, place: int, moves: np.ndarray, minima: Sequence[Atoms]
) -> _Checked:
    saddle = rest.copy()
    saddle.set_positions(found.positions[place], apply_constraint=False)
    energy, force = float(found.energies[place]), float(found.largest_forces[place])
    if len(saddle) <= POLISHED_ATOMS:
        exact = partitioned_rational_function(saddle, potential, moves=moves, direction=found.modes[place], steps=10)
        if exact.converged and abs(exact.energy_ev - energy) < 10 * SAME_EV:
            saddle, energy, force = exact.atoms, exact.energy_ev, exact.largest_force_ev_per_angstrom
    known = verified(saddle, potential, moves=moves, minima=minima)
    returns = any(same_structure(side, rest, permuted=False) for side in known.sides)
    return _Checked(saddle, energy, force, known, returns)


def _result(
    rest: Atoms, potential: Potential, at_rest: Modes, found: Followed, pairs: list[tuple[_Checked, int]]
) -> Saddles:
    first_order = [(one, times) for one, times in pairs if one.known.modes.negative == 1]
    higher = sum(times for one, times in pairs if one.known.modes.negative != 1)
    back = ~found.converged & (found.curvatures >= 0)
    counts = (len(found.converged), int(back.sum()), int((~found.converged & ~back).sum()), higher)
    return _collected(rest, potential, at_rest, first_order, counts)


def _collected(
    rest: Atoms,
    potential: Potential,
    at_rest: Modes,
    pairs: list[tuple[_Checked, int]],
    counts: tuple[int, int, int, int],
    *,
    keep_order: bool = False,
) -> Saddles:
    pairs = pairs if keep_order else sorted(pairs, key=lambda pair: pair[0].energy)
    start = float(evaluated(potential, [rest], "energy")[0][0])
    each = [one for one, _ in pairs]
    searches, back, unfinished, higher = counts
    return Saddles(
        formula=rest.get_chemical_formula(),
        searches=searches,
        slid_back=back,
        not_converged=unfinished,
        of_higher_order=higher,
        advice=_advice(len(each), counts),
        barrier_ev=np.array([one.energy - start for one in each]),
        reverse_barrier_ev=np.array([one.energy - _other_side(one, start) for one in each]),
        unstable_frequency_thz=np.array([-float(one.known.modes.frequencies_thz[0]) for one in each]),
        log10_prefactor_per_s=np.array([log10_prefactor(at_rest, one.known.modes) for one in each]),
        found_times=tuple(times for _, times in pairs),
        leads_to_start=tuple(one.returns for one in each),
        leads_to=tuple(one.known.leads_to for one in each),
        largest_force_ev_per_angstrom=np.array([one.force for one in each]),
        minimum=rest,
        structures=tuple(one.saddle for one in each),
    )


def _other_side(one: _Checked, start: float) -> float:
    """The energy that the side comes to which is farther from the start's."""
    return max(one.known.side_energies_ev, key=lambda energy: abs(energy - start))


def _advice(saddles_found: int, counts: tuple[int, int, int, int]) -> str | None:
    searches, back, unfinished, higher = counts
    if not (back or unfinished or higher):
        return None
    said = f"{back} of {searches} searches slid back, {unfinished} did not come to rest, {higher} came to points of higher order"
    mend = "push farther, or around one atom; allow more steps"
    return said + (f": {mend}" if saddles_found else f", and no saddle was found: {mend}")


def saddle_sentences(found: Saddles) -> tuple[str, ...]:
    """What the searches found, and what they did not."""
    said = (f"{found.formula}: {found.searches} searches, {len(found.structures)} saddles of first order",)
    return said if found.advice is None else (*said, found.advice)


def saddle_table(found: Saddles) -> Table:
    """One row a saddle."""
    rows = tuple(
        (
            place,
            float(found.barrier_ev[place]),
            float(found.reverse_barrier_ev[place]),
            float(found.unstable_frequency_thz[place]),
            f"{found.log10_prefactor_per_s[place]:.2f}",
            found.found_times[place],
            "yes" if found.leads_to_start[place] else "NO",
            ", ".join("another" if one is None else str(one) for one in found.leads_to[place]),
        )
        for place in range(len(found.structures))
    )
    columns = (
        "saddle",
        "barrier (eV)",
        "reverse (eV)",
        "unstable mode (THz)",
        "log10 prefactor (1/s)",
        "found",
        "leads to the start",
        "given minima",
    )
    return Table("saddles", "Saddles", columns, rows)


def saddle_figures(found: Saddles) -> tuple[Figure, ...]:
    """Barriers."""
    if not found.structures:
        return ()
    edges = np.arange(len(found.structures) + 1, dtype=np.float64) - 0.5
    marks = (Bars(edges, found.barrier_ev, "barrier"), Bars(edges, found.reverse_barrier_ev, "from the other side"))
    return (Figure("barriers", "Barriers of the saddles", "saddle", "energy (eV)", marks),)

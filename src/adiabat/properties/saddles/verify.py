"""Whether a stationary point is a saddle of first order, and where its two sides lead."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms

from adiabat.potential import Potential
from adiabat.properties.paths.ends import nearest_images
from adiabat.properties.paths.modes import Modes, modes
from adiabat.properties.paths.neb import OFF_SADDLE_ANGSTROM, SAME_ANGSTROM
from adiabat.properties.relaxation import RelaxationSettings, relax

SIDES = RelaxationSettings(force_tolerance_ev_per_angstrom=0.005, steps=1000)


@dataclass(frozen=True)
class Verified:
    """What a stationary point is.

    Attributes:
        modes: Its vibrations; one imaginary of a saddle of first order.
        sides: The two structures that its sides come to.
        side_energies_ev: Of them.
        sides_at_rest: Whether both came to rest.
        leads_to: Of each side the place of the minimum that it comes to among those given; None of another.
    """

    modes: Modes
    sides: tuple[Atoms, Atoms]
    side_energies_ev: tuple[float, float]
    sides_at_rest: bool
    leads_to: tuple[int | None, int | None]


def verified(
    saddle: Atoms, potential: Potential, *, moves: np.ndarray, minima: Sequence[Atoms] = (), permuted: bool = False
) -> Verified:
    """Take the vibrations, step off either way, and relax.

    Args:
        saddle: A stationary point.
        potential: Of whose surface.
        moves: (N,) bool: atoms that are not held.
        minima: Where the sides may lead to, the same atoms in the same order and cell.
        permuted: Minima whose atoms of one element have changed places are one.
    """
    found = modes(saddle, potential, moves)
    begun = []
    for sign in (1.0, -1.0):
        side = saddle.copy()
        side.set_positions(saddle.positions + sign * OFF_SADDLE_ANGSTROM * found.lowest, apply_constraint=False)
        begun.append(side)
    one, other = relax(begun, potential, SIDES)
    places = [_place(side.atoms, minima, permuted=permuted) for side in (one, other)]
    return Verified(
        found,
        (one.atoms, other.atoms),
        (one.energy_ev, other.energy_ev),
        one.converged and other.converged,
        (places[0], places[1]),
    )


def _place(atoms: Atoms, minima: Sequence[Atoms], *, permuted: bool) -> int | None:
    for place, minimum in enumerate(minima):
        if same_structure(atoms, minimum, permuted=permuted):
            return place
    return None


def same_structure(
    atoms: Atoms, other: Atoms, *, permuted: bool = False, within_angstrom: float = SAME_ANGSTROM
) -> bool:
    """Whether every atom is where it is in the other, a shift of the whole crystal aside; nearest ones of its element if `permuted`."""
    moved = atoms.positions - other.positions
    if permuted:
        distances = np.linalg.norm(
            nearest_images((atoms.positions[:, None] - other.positions[None]).reshape(-1, 3), other), axis=1
        ).reshape(len(atoms), -1)
        distances[atoms.numbers[:, None] != other.numbers[None]] = np.inf
        nearest = distances.argmin(1)
        if len(set(nearest.tolist())) < len(atoms):
            return False
        moved = atoms.positions - other.positions[nearest]
    moved = nearest_images(moved, other)
    if other.pbc.all() and not other.constraints:
        moved = moved - moved.mean(0)
    return bool(np.linalg.norm(moved, axis=1).max() < within_angstrom)

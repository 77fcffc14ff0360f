"""Up the lowest mode to a saddle, many searches in one evaluation.

G. Henkelman and H. Jónsson, J. Chem. Phys. 111, 7010 (1999); A. Heyden et al., J. Chem. Phys. 123, 224101 (2005), for the difference of forces at one
side. The mode is turned in the plane of itself, its residual and its last turn (A. V. Knyazev, SIAM J. Sci. Comput. 23, 517 (2001)).
"""

from dataclasses import dataclass

import numpy as np
import torch
from ase import Atoms
from torch import Tensor

from adiabat.potential import Potential
from adiabat.properties.paths.neb import energy_surface
from adiabat.properties.relaxation.coordinates import Coordinates, Slope
from adiabat.properties.relaxation.fire import FIRE
from adiabat.system import Batch
from adiabat.typing import FloatArray

APART_ANGSTROM = 5e-3
"""Of all atoms together, between the forces whose difference is the curvature."""

LONGEST_MOVE_ANGSTROM = 0.1
"""In one step: shorter than a minimiser's, for a saddle is easily overshot."""

TURNS, FIRST_TURNS = 1, 8
"""Of the mode in each step, and before the first."""

CLIMB_EV_PER_ANGSTROM = 0.1
"""The least force up the mode where the surface curves up, so that a search leaves its basin."""


@dataclass(frozen=True)
class FollowSettings:
    """When it is enough.

    Attributes:
        force_tolerance_ev_per_angstrom: On each atom.
        steps: At most; two evaluations each.
    """

    force_tolerance_ev_per_angstrom: float = 0.01
    steps: int = 500


@dataclass(frozen=True)
class Followed:
    """Where searches came to.

    Attributes:
        positions: (S, N, 3) Å.
        modes: (S, N, 3), of unit length over all atoms.
        energies: (S,) eV.
        curvatures: (S,) eV/Å², along the modes.
        largest_forces: (S,) eV/Å.
        converged: (S,) bool: no force, and the mode curves down.
        steps: That were made.
    """

    positions: FloatArray
    modes: FloatArray
    energies: FloatArray
    curvatures: FloatArray
    largest_forces: FloatArray
    converged: np.ndarray
    steps: int


def follow_lowest_mode(
    atoms: Atoms,
    potential: Potential,
    positions: FloatArray,
    directions: FloatArray,
    *,
    moves: np.ndarray,
    settings: FollowSettings | None = None,
) -> Followed:
    """Follow the mode of lowest curvature uphill, and all others downhill.

    Args:
        atoms: The structure, for its elements and cell.
        potential: On whose surface.
        positions: (S, N, 3) Å where searches begin.
        directions: (S, N, 3) the first guesses of the mode.
        moves: (N,) bool: atoms that are not held.
        settings: When it is enough.
    """
    how = settings or FollowSettings()
    search = _Search(atoms, potential, moves)
    x, left = torch.from_numpy(np.array(positions)), torch.arange(len(positions))
    mode, turn = search.allowed(torch.from_numpy(np.array(directions)), x), None
    space, way = search.space(x), None
    ended = _Ended(x, mode)
    for step in range(how.steps + 1):
        energy, forces = search.forces(x)
        for _ in range(FIRST_TURNS if way is None else TURNS):
            curvature, mode, turn = search.turned(x, forces, mode, turn)
        largest = torch.linalg.vector_norm(forces, dim=2).amax(1)
        done = (largest < how.force_tolerance_ev_per_angstrom) & (curvature < 0)
        lost = ~torch.isfinite(energy + largest)
        ended.note(left, x, mode, torch.stack([energy, curvature, largest]), done=done, step=step)
        going = ~done & ~lost
        if not bool(going.any()) or step == how.steps:
            break
        slope = _slope(energy, _uphill(forces, mode, curvature), largest)
        rows = x.reshape(-1, 3)
        way = FIRE.begin(space, rows, slope) if way is None else way.seen(space, rows, slope)
        if not bool(going.all()):
            way, left = way.only(space, going), left[going]
            space = space.only(going)
            mode, turn, x = mode[going], None if turn is None else turn[going], x[going]
        way, rows = way.step(space, longest_move=LONGEST_MOVE_ANGSTROM)
        x = rows.reshape(x.shape)
    return ended.followed()


def _uphill(forces: Tensor, mode: Tensor, curvature: Tensor) -> Tensor:
    """(S, N, 3): reversed along the mode, and no less than the climb where the surface does not yet curve down."""
    along = (forces * mode).sum((1, 2), keepdim=True)
    sign = torch.where(along == 0, 1.0, torch.sign(along))
    least = torch.where((curvature < 0)[:, None, None], 0.0, CLIMB_EV_PER_ANGSTROM)
    return forces - along * mode - sign * along.abs().maximum(least) * mode


def _slope(energy: Tensor, force: Tensor, largest: Tensor) -> Slope:
    return Slope(energy, energy, -force.reshape(-1, 3), largest, torch.zeros_like(energy))


class _Search:
    """The surface, and what of it moves."""

    def __init__(self, atoms: Atoms, potential: Potential, moves: np.ndarray) -> None:
        self._surface = energy_surface(atoms, potential)
        self._moves = torch.from_numpy(moves)[:, None].double()
        self._free, self._turns = bool(moves.all()), bool(moves.all()) and not atoms.pbc.any()

    def forces(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Energies (S,) and forces (S, N, 3) on atoms that move."""
        energy, forces = self._surface(x)
        return energy, forces * self._moves

    def allowed(self, vectors: Tensor, x: Tensor) -> Tensor:
        """Of unit length, without what held atoms and free motions of the whole take away."""
        vectors = vectors * self._moves
        if self._free:
            vectors = vectors - vectors.mean(1, keepdim=True)
        if self._turns:
            arms = x - x.mean(1, keepdim=True)
            axes = torch.eye(3).double()
            spins = torch.stack([torch.linalg.cross(axis.expand_as(arms), arms) for axis in axes], 1).flatten(2)
            basis = torch.linalg.qr(spins.transpose(1, 2)).Q
            flat = vectors.flatten(1)[:, :, None]
            vectors = (flat - basis @ (basis.transpose(1, 2) @ flat)).reshape(vectors.shape)
        length = torch.linalg.vector_norm(vectors, dim=(1, 2), keepdim=True)
        return vectors / length.clamp(min=1e-30)

    def turned(self, x: Tensor, forces: Tensor, mode: Tensor, turn: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """Curvature (S,), a mode that curves less, and the way that it turned."""
        bent = self._bent(x, forces, mode)
        curvature = (mode * bent).sum((1, 2))
        residual = self.allowed(bent - curvature[:, None, None] * mode, x)
        ways = [mode, residual] if turn is None else [mode, residual, turn]
        basis = torch.linalg.qr(torch.stack(ways, 1).flatten(2).transpose(1, 2)).Q  # (S, 3N, 2 or 3)
        others = [self._bent(x, forces, basis[:, :, k].reshape(x.shape)).flatten(1) for k in range(1, basis.shape[2])]
        sign = (basis[:, :, 0] * mode.flatten(1)).sum(1, keepdim=True)
        hessian = torch.stack([sign * bent.flatten(1), *others], 2)
        small = basis.transpose(1, 2) @ hessian
        values, vectors = torch.linalg.eigh(0.5 * (small + small.transpose(1, 2)))
        found = (basis @ vectors[:, :, :1]).squeeze(-1).reshape(x.shape)
        found = self.allowed(found * torch.sign((found * mode).sum((1, 2), keepdim=True)), x)
        away = found - (found * mode).sum((1, 2), keepdim=True) * mode
        return values[:, 0], found, self.allowed(away, x)

    def _bent(self, x: Tensor, forces: Tensor, way: Tensor) -> Tensor:
        """(S, N, 3) eV/Å²: the Hessian times a way."""
        _, there = self.forces(x + APART_ANGSTROM * way)
        return (forces - there) / APART_ANGSTROM

    def space(self, x: Tensor) -> Coordinates:
        """Searches as structures of their own, for the minimiser."""
        searches, atoms = x.shape[:2]
        batch = Batch(
            positions=x.reshape(-1, 3),
            cell=x.new_zeros(searches, 3, 3),
            pbc=torch.zeros(searches, 3, dtype=torch.bool),
            numbers=torch.ones(searches * atoms, dtype=torch.int64),
            system=torch.arange(searches).repeat_interleave(atoms),
        )
        return Coordinates.of(batch, cell="fixed", moves=torch.ones(searches * atoms, dtype=torch.bool), pressure=0.0)


class _Ended:
    """What is known of all searches while some of them still move."""

    def __init__(self, x: Tensor, mode: Tensor) -> None:
        self._positions, self._modes = x.clone(), mode.clone()
        self._numbers = torch.full((3, len(x)), float("nan")).double()
        self._converged, self._steps = torch.zeros(len(x), dtype=torch.bool), 0

    def note(self, left: Tensor, x: Tensor, mode: Tensor, numbers: Tensor, *, done: Tensor, step: int) -> None:
        """Of searches that are left: where they are, (3, S) energy, curvature and largest force, and which are done."""
        self._positions[left], self._modes[left], self._numbers[:, left] = x, mode, numbers
        self._converged[left], self._steps = done, step

    def followed(self) -> Followed:
        energies, curvatures, largest = self._numbers.numpy()
        return Followed(
            self._positions.numpy(),
            self._modes.numpy(),
            energies,
            curvatures,
            largest,
            self._converged.numpy(),
            self._steps,
        )

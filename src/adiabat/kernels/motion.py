"""Compiled motion: what integrators do to atoms, each in one pass; arrays in, arrays out.

Arrays are of float64 and contiguous; `start` (S + 1,) is the first atom of each structure, and the number of all.
"""

import numpy as np
from numpy.typing import NDArray

from adiabat.kernels import _core
from adiabat.typing import FloatArray, IntArray


def kicked(velocities: FloatArray, forces: FloatArray, inverse: FloatArray, by: float) -> FloatArray:
    """(N, 3) v + by f / m; by inverse masses (N,): what has none goes on as it went."""
    out = np.empty_like(velocities)
    _core.kick(velocities, forces, inverse, by, out)
    return out


def drifted(positions: FloatArray, first: FloatArray, second: FloatArray, by: float) -> FloatArray:
    """(N, 3) x + by (v + w)."""
    out = np.empty_like(positions)
    _core.drift(positions, first, second, by, out)
    return out


def carried(
    start: IntArray,
    positions: FloatArray,
    velocities: tuple[FloatArray, FloatArray],
    by: float,
    *,
    cell: FloatArray,
    way: FloatArray,
) -> FloatArray:
    """(N, 3) x·F + by (v + w)·G: a drift in a cell that changes; F `cell` and G `way` as the matrices of `transformed`."""
    out, systems = np.empty_like(positions), len(start) - 1
    _core.carry(start, positions, *velocities, by, _table(cell, systems), _table(way, systems), out)
    return out


def dragged(
    start: IntArray,
    velocities: FloatArray,
    centers: FloatArray,
    forces: FloatArray,
    inverse: FloatArray,
    by: float,
    *,
    cell: FloatArray,
    way: FloatArray,
) -> FloatArray:
    """(N, 3) c + (v - c)·F + by f / m·G: a kick in a cell that changes, by inverse masses (N,); F `cell` and G `way` as the matrices of `transformed`."""
    out, systems = np.empty_like(velocities), len(start) - 1
    _core.drag(start, velocities, centers, forces, inverse, by, _table(cell, systems), _table(way, systems), out)
    return out


def second_moments(
    start: IntArray, masses: FloatArray, free: NDArray[np.bool_], velocities: FloatArray, *, full: bool
) -> tuple[FloatArray, FloatArray]:
    """Σ m (v - c) ⊗ (v - c), (S, 3, 3) or a third of its trace (S, 1, 1), and c (S, 3).

    c is the velocity of the centre of mass of structures where that is `free` (S,), zero elsewhere.
    """
    systems = len(start) - 1
    moments, centers = np.empty((systems, 9 if full else 1)), np.empty((systems, 3))
    _core.second_moments(start, masses, free, velocities, moments, centers)
    return moments.reshape((systems, 3, 3) if full else (systems, 1, 1)), centers


def transformed(
    start: IntArray, vectors: FloatArray, matrices: FloatArray, centers: FloatArray | None = None
) -> FloatArray:
    """(N, 3) c + (v - c)·F: rows times matrices (S, 3, 3), or multiples of the unit matrix (S, 1, 1) or (S,)."""
    out, systems = np.empty_like(vectors), len(start) - 1
    about = np.zeros((systems, 3)) if centers is None else centers
    _core.transform(start, vectors, _table(matrices, systems), about, out)
    return out


def rubbed(
    start: IntArray,
    velocities: FloatArray,
    noise: FloatArray,
    *,
    inverse_roots: FloatArray,
    weights: FloatArray,
    decay: float,
    widths: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """(N, 3) u = decay v + width / √m noise, and (S,) Σ weight (u² - v²).

    Args:
        start: As for the others.
        velocities: (N, 3) v.
        noise: (N, 3).
        inverse_roots: (N,) 1 / √m; zero: no noise.
        weights: (N,) finite.
        decay: A factor.
        widths: (S,) or (1,).
    """
    out, gained = np.empty_like(velocities), np.empty(len(start) - 1)
    _core.rub(start, velocities, inverse_roots, weights, noise, decay, widths, out, gained)
    return out, gained


def furthest(
    start: IntArray, before: FloatArray, after: FloatArray, deformation: FloatArray | None = None
) -> FloatArray:
    """(S,) the length of the longest after - before·F of each structure's atoms; not a number where one of them is none."""
    out, systems = np.empty(len(start) - 1), len(start) - 1
    _core.furthest_squared(start, before, None if deformation is None else _table(deformation, systems), after, out)
    return np.sqrt(out)


def rescaling_factors(
    kinetic: FloatArray, thermal: FloatArray, kept: float, first: FloatArray, rest: FloatArray
) -> FloatArray:
    """(S,) factors of velocities by stochastic velocity rescaling; 1 where nothing moves.

    Args:
        kinetic: (S,) energies.
        thermal: (S,) or (1,) k_B T.
        kept: exp(-h / τ).
        first: (S,) standard normal numbers.
        rest: (S,) sums of the squares of all others.
    """
    out = np.empty(len(kinetic))
    _core.rescale(kinetic, thermal, kept, first, rest, out)
    return out


def propagated_chains(
    links: FloatArray,
    *,
    mass: FloatArray,
    degrees: FloatArray,
    twice_kinetic: FloatArray,
    thermal: FloatArray,
    steps: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Nosé-Hoover chains, later by the sum of the steps: links, what they scale by, and what is stored in their positions.

    Args:
        links: (S, L) velocities.
        mass: (S,) of each link but the first, whose mass is so many times as large as there are degrees of freedom.
        degrees: (S,) degrees of freedom that are thermalised.
        twice_kinetic: (S,) twice their kinetic energy.
        thermal: (S,) or (1,) k_B T.
        steps: (n,) taken one after the other.

    Returns:
        (S, L), (S,), (S,).
    """
    moved, factor, stored = links.copy(), np.empty(len(links)), np.empty(len(links))
    _core.propagate_chains(mass, degrees, twice_kinetic, thermal, steps, moved, factor, stored)
    return moved, factor, stored


def normal(seed: int, replicas: NDArray[np.uint64], *, purpose: int, step: int, start: IntArray) -> FloatArray:
    """(N, 3) independent standard normal numbers: functions of seed, replica, purpose, step and the atom's place in its structure."""
    out = np.empty((int(start[-1]), 3))
    _core.normal(seed, purpose, step, replicas, start, out)
    return out


def chi_squared(seed: int, replicas: NDArray[np.uint64], *, purpose: int, step: int, degrees: IntArray) -> FloatArray:
    """(S,) numbers distributed as sums of so many squared standard normal ones, functions of the same but for the atom."""
    out = np.empty(len(replicas))
    _core.chi_squared(seed, purpose, step, replicas, degrees, out)
    return out


def _table(matrices: FloatArray, systems: int) -> FloatArray:
    return np.ascontiguousarray(matrices).reshape(systems, -1)

"""Trajectories in closed form: ideal gases, crystals, random walks, oscillators."""

import numpy as np
from scipy.signal import lfilter

from adiabat.properties.observables import Ensemble, Trajectory
from adiabat.typing import FloatArray

NVE = Ensemble(kind="nve")


def made(
    positions: FloatArray,
    *,
    box: float = 20.0,
    interval_fs: float = 1.0,
    numbers: list[int] | None = None,
    ensemble: Ensemble = NVE,
    velocities: FloatArray | None = None,
) -> Trajectory:
    """Of positions (T, N, 3) in a cubic box; argon of mass 40 unless numbers are given."""
    frames, atoms = positions.shape[:2]
    return Trajectory(
        place="made",
        numbers=np.array(numbers or [18] * atoms, dtype=np.int64),
        masses=np.full(atoms, 40.0),
        pbc=np.array([True] * 3),
        times_fs=interval_fs * np.arange(frames),
        positions=positions,
        cells=np.tile(box * np.eye(3), (frames, 1, 1)),
        ensemble=ensemble,
        velocities=velocities,
    )


def ideal_gas(
    frames: int, atoms: int, *, box: float = 20.0, numbers: list[int] | None = None, seed: int = 0
) -> Trajectory:
    """Atoms anywhere, in each frame anew."""
    return made(np.random.default_rng(seed).uniform(0, box, (frames, atoms, 3)), box=box, numbers=numbers)


def random_walk(frames: int, atoms: int, *, diffusion: float, seed: int = 0) -> Trajectory:
    """Steps of variance 2 D per frame and direction, D in Å²/fs."""
    steps = np.sqrt(2 * diffusion) * np.random.default_rng(seed).normal(size=(frames, atoms, 3))
    return made(steps.cumsum(axis=0))


def ornstein_uhlenbeck(
    frames: int, atoms: int, *, variance: float, time_fs: float, seed: int = 0
) -> tuple[FloatArray, FloatArray]:
    """Velocities whose correlation is variance · exp(-t / time_fs), 1 fs apart, and the positions that they sum up to."""
    rng, decay = np.random.default_rng(seed), np.exp(-1 / time_fs)
    noise = np.sqrt(variance) * rng.normal(size=(frames, atoms, 3))
    noise[1:] *= np.sqrt(1 - decay**2)
    velocities = np.asarray(lfilter([1.0], [1.0, -decay], noise, axis=0))
    return velocities, velocities.cumsum(axis=0)

"""Acquisition: which of the frames that a potential is unsure of are labelled.

| | a frame is worth | a batch |
|---|---|---|
| information | what its forces would say of the coefficients | of the largest information together |
| force_std | the standard deviation of its least known force | of the worthiest, those that differ most |
| energy_drift | the standard deviation of the work of wrong forces along its velocities | likewise |
| grade | how far its farthest atom is from the training | likewise |
| random | nothing: any frame of the simulations, for comparison | by lot |
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from ase import units
from torch import Tensor

from adiabat.errors import PropertyUnavailable
from adiabat.learning.config import Acquisition
from adiabat.learning.judge import Frame
from adiabat.neighbors import neighbor_graph
from adiabat.potential import Potential
from adiabat.potential.deviations import RowDeviations
from adiabat.system import Batch
from adiabat.uncertainty import choose_d_optimal, choose_farthest

POOL = 60
"""Frames, at most, among which a batch of the largest information is chosen: the least sure ones."""
WORTHIEST = 3
"""Times as many frames as are to be chosen: among so many of the worthiest those are taken that differ most."""
DRIFT_FS = 100.0
"""Some vibrations: for so long the error of a force keeps its direction, at the most."""


def choose(
    frames: Sequence[Frame], potential: Potential, count: int, *, by: Acquisition = "information", seed: int = 0
) -> list[Frame]:
    """Frames to label, of those that the potential is not sure of.

    Args:
        frames: That were judged.
        potential: With a posterior.
        count: How many at the most.
        by: What makes a frame worth its label.
        seed: Of a lot.
    """
    if by == "random":
        places = np.random.default_rng(seed).permutation(len(frames))[:count]
        return [frames[place] for place in sorted(places)]
    pool = [frame for frame in frames if not frame.sure]
    if len(pool) <= count:
        return pool
    if by == "information":
        return _most_informative(pool, potential, count)
    worth = WORTH[by]
    pool = sorted(pool, key=lambda frame: -worth(potential, frame))[: WORTHIEST * count]
    means = torch.stack([_features(potential, frame).mean(0) for frame in pool])
    return [pool[place] for place in choose_farthest(means, count).chosen]


def energy_drift_ev(potential: Potential, frame: Frame) -> float:
    """Standard deviation, eV, of the work that wrong forces do along the velocities within 100 fs.

    That of Σ v · F times the time, by the covariance of all components together: errors that cancel in the work do not count.

    Args:
        potential: With a posterior.
        frame: With velocities.

    Raises:
        PropertyUnavailable: Of atoms at rest, or a potential without a posterior.
    """
    velocities = frame.atoms.get_velocities()
    if not np.any(velocities):
        raise PropertyUnavailable(
            "the drift of the energy was asked for of atoms at rest",
            place=frame.structure.place,
            rule="wrong forces do work along velocities",
            mend="choose by force_std",
        )
    along = torch.from_numpy(velocities).reshape(1, -1) @ _force_rows(potential, frame)
    root = _deviations(potential).uncertainty.root("forces")
    return float(torch.linalg.vector_norm(root.whiten(along))) * DRIFT_FS * units.fs


WORTH: dict[Acquisition, Callable[[Potential, Frame], float]] = {
    "force_std": lambda _, frame: frame.force_std_ev_per_angstrom,
    "energy_drift": energy_drift_ev,
    "grade": lambda _, frame: frame.grade,
}


def _most_informative(pool: Sequence[Frame], potential: Potential, count: int) -> list[Frame]:
    pool = sorted(pool, key=lambda frame: -frame.force_std_ev_per_angstrom)[: max(POOL, count)]
    posterior = _deviations(potential).uncertainty.posterior
    rows = [_force_rows(potential, frame) / posterior.noise["forces"] for frame in pool]
    return [pool[place] for place in choose_d_optimal(rows, posterior.covariance, count).chosen]


def _force_rows(potential: Potential, frame: Frame) -> Tensor:
    """(3 n, columns)."""
    model = _deviations(potential).model
    return model.design_rows(neighbor_graph(Batch.from_atoms(frame.structure.atoms), model.cutoff)).forces


def _features(potential: Potential, frame: Frame) -> Tensor:
    """(n, columns) of the energies, in units of their deviations by the posterior."""
    deviations = _deviations(potential)
    rows = deviations.model.atom_rows(neighbor_graph(Batch.from_atoms(frame.structure.atoms), deviations.model.cutoff))
    return deviations.uncertainty.posterior.covariance.whiten(rows).T


def _deviations(potential: Potential) -> RowDeviations:
    found = potential.linear_deviations
    if found is None:
        raise PropertyUnavailable(
            "frames were to be chosen by a potential without a posterior",
            place="learning",
            rule="what a label would say is told by the posterior of a linear model",
            mend="train with --model ace",
        )
    return found

"""Judging: which frames of an exploration the potential is unsure of, and by how much."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms

from adiabat.evaluation import trust
from adiabat.potential import Potential
from adiabat.system import Labelled


@dataclass(frozen=True)
class Frame:
    """A frame that was judged.

    Attributes:
        structure: Without labels.
        atoms: The same, with velocities where it has some.
        force_std_ev_per_angstrom: Of its least known atom.
        least_known_atom: Its number.
        grade: How far its farthest atom is from the training, over the threshold; infinite for an unknown species.
        sure: The force is known well enough, and no atom is far from the training.
    """

    structure: Labelled
    atoms: Atoms
    force_std_ev_per_angstrom: float
    least_known_atom: int
    grade: float
    sure: bool


def judge(potential: Potential, frames: Sequence[tuple[Labelled, Atoms]], *, force_std_limit: float) -> list[Frame]:
    """Judge frames, each as it is labelled and as it was simulated.

    Args:
        potential: With error bars.
        frames: In their order.
        force_std_limit: eV/Å, of the force vector on an atom.
    """
    if not frames:
        return []
    found = []
    verdicts = trust(potential, [structure for structure, _ in frames], quiet=True).structures
    for (structure, atoms), one in zip(frames, verdicts, strict=True):
        std = np.inf if one.largest_force_std_ev_per_angstrom is None else one.largest_force_std_ev_per_angstrom
        grade, threshold = one.extrapolation_grade, one.extrapolation_threshold
        far = np.inf if grade is None or threshold is None else grade / threshold
        found.append(
            Frame(structure, atoms, std, one.least_known_atom or 0, far, one.trusted and std <= force_std_limit)
        )
    return found

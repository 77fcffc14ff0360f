"""Energies of a potential's members along a trajectory that the potential made."""

from collections.abc import Mapping, Sequence

import numpy as np
from ase import Atoms

from adiabat.errors import DataError
from adiabat.potential import Potential
from adiabat.properties.arrays import evaluated, in_double
from adiabat.properties.parts import committees_by_part
from adiabat.runs import track
from adiabat.typing import FloatArray

ATOMS_AT_ONCE = 20_000


def member_energies(
    frames: Sequence[Atoms],
    potential: Potential,
    *,
    members: int | None = None,
    seed: int | None = None,
    quiet: bool = False,
) -> tuple[FloatArray, Mapping[str, FloatArray]]:
    """What `trajectory_average` needs beside the observable.

    Args:
        frames: Of the trajectory.
        potential: That it was made with; with a posterior, or a `Committee`.
        members: For each part of the uncertainty, 16 by default; none for a `Committee`, which has its own.
        seed: By which they are drawn, 0 by default; likewise.
        quiet: Show no progress.

    Returns:
        (T,) eV of the potential; and by part (K, T) eV of its members.

    Raises:
        DataError: No frames.
        ConfigurationError: Too few members; members or a seed for a `Committee`.
        PropertyUnavailable: The potential has no posterior.
    """
    if not frames:
        raise DataError(
            "no frames", place="member_energies", rule="an average is over frames", mend="read more of them"
        )
    committees = committees_by_part(potential, members, seed)
    at_once = max(1, ATOMS_AT_ONCE // max(len(atoms) for atoms in frames))
    chunks = [frames[start : start + at_once] for start in range(0, len(frames), at_once)]
    own: list[FloatArray] = []
    others: dict[str, list[FloatArray]] = {part: [] for part in committees}
    for chunk in track(chunks, "energies of members", quiet=quiet):
        own.append(evaluated(potential, chunk, "energy")[0])
        for part, committee in committees.items():
            found = committee.each(chunk, want=("energy",))
            energies = np.stack([in_double(prediction, "energy")[0] for prediction in found])
            others[part].append(own[-1] + committee.stretch * (energies - own[-1]))
    return np.concatenate(own), {part: np.concatenate(each, axis=1) for part, each in others.items()}

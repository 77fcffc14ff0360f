"""What the uncertainty of the potential makes of a mean over a canonical trajectory."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from adiabat.potential import Potential
from adiabat.properties.member_energies import member_energies
from adiabat.properties.observables.trajectory import Trajectory
from adiabat.typing import FloatArray
from adiabat.units import BOLTZMANN_EV_PER_K


@dataclass(frozen=True)
class MemberDifferences:
    """How far the energies of a potential's members lie from its own along a trajectory.

    Attributes:
        reduced: By part of the uncertainty ("parametric", "misfit"): (K, T) (V_k - V) / (k_B T), less its mean.
    """

    reduced: Mapping[str, FloatArray]

    @classmethod
    def along(cls, trajectory: Trajectory, potential: Potential, *, quiet: bool = False) -> Self:
        """Of all frames.

        Raises:
            PropertyUnavailable: The trajectory samples no canonical ensemble, or the potential does not know how sure it is.
        """
        temperature_k = trajectory.ensemble.require_canonical("the error of the potential", ("nvt", "npt"))
        frames = [trajectory.frame(index) for index in range(trajectory.n_frames)]
        own, members = member_energies(frames, potential, quiet=quiet)
        reduced = {part: (energies - own) / (BOLTZMANN_EV_PER_K * temperature_k) for part, energies in members.items()}
        return cls({part: one - one.mean(axis=1, keepdims=True) for part, one in reduced.items()})

    def std(self, series: FloatArray) -> FloatArray:
        """(B,) of the means of (T, B), by the first order of the response: -cov(A, (V_k - V) / (k_B T)), its root mean square over members.

        (G. Imbalzano et al., J. Chem. Phys. 154, 074102 (2021).) The noise of the covariances' own sampling is in it.
        """
        away = series - series.mean(axis=0)
        squares = [np.mean((one @ away / len(series)) ** 2, axis=0) for one in self.reduced.values()]
        return np.sqrt(np.sum(squares, axis=0))

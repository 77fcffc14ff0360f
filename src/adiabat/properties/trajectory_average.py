"""Averages over one trajectory, with what other potentials would have made of them.

A trajectory samples the canonical ensemble of one potential, V. In that of a member V_k an average is
⟨A exp(-βΔ)⟩ / ⟨exp(-βΔ)⟩ with Δ = V_k - V: full reweighting, which is exact, and collapses as soon as βΔ fluctuates by more than
about one, as in any system that is large enough. Its first order, ⟨A⟩ - β cov(A, Δ), does not: what is local is correlated
with what is local alone.

G. Imbalzano et al., J. Chem. Phys. 154, 074102 (2021), there as the cumulant expansion; M. Kellner and M. Ceriotti, Mach. Learn.:
Sci. Technol. 5, 035006 (2024).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from adiabat.errors import DataError
from adiabat.properties.estimate import decimals_of
from adiabat.results import Result
from adiabat.simulate.statistics import ENLARGED, standard_error
from adiabat.typing import FloatArray
from adiabat.units import BOLTZMANN_EV_PER_K

ENOUGH_FRAMES = 30.0
"""Effective independent frames from which full reweighting is shown: its error is then a fifth of the spread of A, and its
estimate of that error means something."""
BEYOND = 3.0
"""Standard errors by which first order and full reweighting may differ by chance."""
NOISY = 0.5
"""Sampling error of the responses, relative to their spread, above which the spread is much of it noise."""


@dataclass(frozen=True)
class Response:
    """What the members of one part make of an average.

    Attributes:
        std: Root mean square of the first-order shifts: the uncertainty of the average from this part.
        shifts: (K,) first order, -β cov(A, V_k - V).
        shifts_std_sampling: (K,) their standard errors; not a number where the trajectory is too short to tell.
        reweighted: (K,) shifts by full reweighting; not a number where it has collapsed.
        effective_frames: (K,) independent frames that full reweighting is left with.
        differing: Members whose shifts by first order and by full reweighting differ beyond their sampling error.
    """

    std: float
    shifts: FloatArray
    shifts_std_sampling: FloatArray
    reweighted: FloatArray
    effective_frames: FloatArray
    differing: tuple[int, ...]


@dataclass(frozen=True)
class TrajectoryAverage(Result):
    """An average over a trajectory, with its sampling error and that of the potential apart.

    Attributes:
        mean: Over the frames.
        std_sampling: The standard error of the mean; None where the trajectory is too short to tell.
        std: Of the potential: the root of the sum of the squares of the parts'.
        responses: By part of the uncertainty.
        independent_frames: The frames that the sampling error is worth; None where it is not known.
        warnings: What is to be known before the error bar is believed.
        unit: As it is printed.
    """

    mean: float
    std_sampling: float | None
    std: float
    responses: Mapping[str, Response]
    independent_frames: float | None
    warnings: tuple[str, ...]
    unit: str

    @property
    def total(self) -> float:
        """The model's and the sampling's uncertainty, as far as it is known, added in quadrature."""
        return math.hypot(self.std, self.std_sampling or 0.0)

    def __str__(self) -> str:
        """The average with its error bar, and a line for each warning."""
        decimals = decimals_of(self.total)
        parts = [f"{name} {response.std:.{decimals}f}" for name, response in self.responses.items()]
        sampling = "not known" if self.std_sampling is None else f"{self.std_sampling:.{decimals}f}"
        unit = f" {self.unit}" if self.unit else ""
        number = f"{self.mean:.{decimals}f} ± {self.total:.{decimals}f}{unit}"
        return "\n".join([f"{number} ({', '.join([f'sampling {sampling}', *parts])})", *self.warnings])


def trajectory_average(
    observable: FloatArray,
    energies_ev: FloatArray,
    member_energies_ev: Mapping[str, FloatArray],
    *,
    temperature_k: float,
    unit: str = "",
) -> TrajectoryAverage:
    """The average of an observable over a canonical trajectory, with the uncertainty of the potential that made it.

    The uncertainty is that of the first-order response, which does not depend on the system's size; full reweighting stands
    beside it where enough frames are left, and a warning says where the two differ.

    Args:
        observable: (T,) at equally spaced frames.
        energies_ev: (T,) of the potential that the trajectory was made with.
        member_energies_ev: By part ("parametric", "misfit"): (K, T) of the part's members at the same frames.
        temperature_k: Of the trajectory.
        unit: Of the observable, for print.

    Raises:
        DataError: The arrays do not belong together, hold numbers that are not finite, or the temperature is not positive.
    """
    _require_alike(observable, energies_ev, member_energies_ev, temperature_k)
    beta = 1 / (BOLTZMANN_EV_PER_K * temperature_k)
    error = standard_error(observable)
    independent = None if error is None else _independent(observable, error)
    responses = {
        part: _response(observable, beta * (energies - energies_ev), independent)
        for part, energies in member_energies_ev.items()
    }
    return TrajectoryAverage(
        mean=float(observable.mean()),
        std_sampling=error,
        std=math.sqrt(sum(response.std**2 for response in responses.values())),
        responses=responses,
        independent_frames=independent,
        warnings=tuple(_warnings(responses, error)),
        unit=unit,
    )


def _response(observable: FloatArray, reduced: FloatArray, independent: float | None) -> Response:
    """From β (V_k - V), (K, T)."""
    away = observable - observable.mean()
    reduced = reduced - reduced.mean(axis=1, keepdims=True)
    first = -away * reduced
    weights = np.exp(-reduced - logsumexp(-reduced, axis=1, keepdims=True))
    share = 1 / (len(observable) * (weights**2).sum(axis=1))
    effective = share * (len(observable) if independent is None else independent)
    shifts, full = first.mean(axis=1), weights @ away
    reweighted = np.where(effective >= ENOUGH_FRAMES, full, np.nan)
    # A ratio's error is that of its linearisation: each frame's weight times how far it is from the ratio.
    linear = len(observable) * weights * (away - full[:, None])
    return Response(
        std=float(np.sqrt(np.mean(shifts**2))),
        shifts=shifts,
        shifts_std_sampling=_standard_errors(first),
        reweighted=reweighted,
        effective_frames=effective,
        differing=_differing(reweighted - shifts, linear - first),
    )


def _standard_errors(series: FloatArray) -> FloatArray:
    """(K,) of the means of (K, T); not a number where one is not known."""
    errors = [standard_error(one) for one in series]
    return np.array([np.nan if error is None else error for error in errors])


def _differing(differences: FloatArray, series: FloatArray) -> tuple[int, ...]:
    """Members whose difference, the mean of their series, is not there by chance."""
    beyond = np.abs(differences) > BEYOND * _standard_errors(series)
    return tuple(int(member) for member in np.flatnonzero(beyond))


def _independent(observable: FloatArray, error: float) -> float:
    """Independent frames with the same standard error, at most as many as there are."""
    frames = float(len(observable))
    return frames if error == 0 else min(frames, float(observable.var()) * (ENLARGED / error) ** 2)


def _warnings(responses: Mapping[str, Response], error: float | None) -> list[str]:
    said = []
    if error is None:
        said.append("warning: too few frames, or too much alike, for a sampling error")
    for part, response in responses.items():
        members = len(response.shifts)
        if response.differing:
            said.append(
                f"warning: {part}: for {len(response.differing)} of {members} members the first order and full reweighting "
                "differ beyond their sampling error: the response is not linear"
            )
        collapsed = int(np.isnan(response.reweighted).sum())
        if collapsed:
            said.append(
                f"note: {part}: for {collapsed} of {members} members full reweighting is left with fewer than "
                f"{ENOUGH_FRAMES:g} frames: the first order alone is known"
            )
        noise = response.shifts_std_sampling[np.isfinite(response.shifts_std_sampling)]
        if len(noise) and np.sqrt(np.mean(noise**2)) > NOISY * response.std:
            said.append(f"warning: {part}: much of the spread of the responses is their sampling error")
    return said


def _require_alike(
    observable: FloatArray, energies_ev: FloatArray, members: Mapping[str, FloatArray], temperature_k: float
) -> None:
    frames = np.shape(observable)
    if len(frames) != 1 or frames[0] < 2 or np.shape(energies_ev) != frames:
        _refuse(f"an observable of the shape {frames} and energies of {np.shape(energies_ev)}", "both are (frames,)")
    for part, energies in members.items():
        if np.ndim(energies) != 2 or np.shape(energies)[1:] != frames or not len(energies):
            _refuse(f"{part} energies of the shape {np.shape(energies)}", f"they are (members, {frames[0]})")
    arrays: Sequence[FloatArray] = [observable, energies_ev, *members.values()]
    if not all(np.isfinite(array).all() for array in arrays):
        _refuse("numbers that are not finite", "all frames have an observable and energies")
    if not temperature_k > 0:
        _refuse(f"a temperature of {temperature_k} K", "it is positive")


def _refuse(what: str, rule: str) -> None:
    raise DataError(what, place="trajectory_average", rule=rule, mend="take them from the same frames")

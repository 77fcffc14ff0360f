"""A hot run: at twice the temperature the atoms stay apart, and the structure whole."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from ase import Atoms

from adiabat.errors import AdiabatError
from adiabat.holes import nearest_approach
from adiabat.results import Figure, Line
from adiabat.simulate.watch import HOTTEST, HOTTEST_EXTRA_K
from adiabat.validation.check import Case, CheckResult
from adiabat.validation.checks.trusted import trusted_frames
from adiabat.validation.dynamics import Motion, langevin, steps_of, timestep_fs

NEAREST_RATIO = 0.7
"""Of the shortest distance in the data, as random packings have it: nearer, atoms have fallen into one another."""
SAMPLE_FS = 20.0
JUDGED = 10
"""Frames, about so many, that the potential is asked how sure it is of."""


class HotRunCheck:
    """NVT by BAOAB at twice the temperature."""

    name: ClassVar[str] = "hot run"

    def evaluations(self, case: Case) -> int:
        """All steps."""
        return _every(case) * _samples(case)

    def run(self, case: Case) -> Sequence[CheckResult]:
        """Whether it comes to its end, and how near atoms come."""
        hot, name = 2 * case.temperature_k, "hot run stays whole"
        motion = Motion.begun(case, langevin(case, hot), replicas=1, temperature_k=2 * hot, seed=3)
        done, ratios, temperatures, frames = 0, [1.0], [hot], list[Atoms]()
        try:
            for state in motion.every(_every(case), _samples(case)):
                done = state.step
                frames.append(state.batch.to_atoms()[0])
                nearest = nearest_approach(frames[-1], case.contacts)
                ratios.append(1.0 if nearest is None else nearest.ratio)
                temperatures.append(float(motion.integrator.measured_temperature_k(state)[0]))
                if nearest is not None and nearest.ratio < NEAREST_RATIO:
                    return [_broken(name, case, done, min(ratios), f"came together: {nearest}")]
                if temperatures[-1] > HOTTEST * hot + HOTTEST_EXTRA_K:
                    return [_broken(name, case, done, min(ratios), f"reached {temperatures[-1]:.0f} K")]
        except AdiabatError as error:
            return [_broken(name, case, motion.state.step, min(ratios), error.what)]
        apart_ps, last = timestep_fs(case) / 1000 * _every(case), len(ratios) - 1
        times = np.linspace(apart_ps, last * apart_ps, last)
        figure = Figure(
            name="validate-hot",
            title=f"Nearest atoms at {hot:g} K",
            x_label="time (ps)",
            y_label="distance, of the shortest in the data",
            marks=(Line(times, np.array(ratios[1:]), "nearest pair"),),
        )
        reason = (
            f"{times[-1]:.3g} ps at {hot:g} K: atoms come as near as {min(ratios):.2f} of the shortest distance in the data "
            f"(1.00: no nearer); {NEAREST_RATIO:g} or more is right."
        )
        whole = CheckResult(name, True, min(ratios), NEAREST_RATIO, "", reason, (figure,))
        return [whole, trusted_frames(case, frames[:: max(1, len(frames) // JUDGED)])]


def _every(case: Case) -> int:
    return max(1, round(SAMPLE_FS / timestep_fs(case)))


def _samples(case: Case) -> int:
    return max(2, steps_of(case.config.hot_ps, case) // _every(case))


def _broken(name: str, case: Case, step: int, ratio: float, what: str) -> CheckResult:
    time_ps = step * timestep_fs(case) / 1000
    reason = f"after {time_ps:.3g} ps at {2 * case.temperature_k:g} K: {what}."
    return CheckResult(name, False, ratio, NEAREST_RATIO, "", reason)

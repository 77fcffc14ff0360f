"""From which grade on a structure is far from the training: by grades of structures that were left out of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from scipy.special import gammaln
from torch import Tensor

from adiabat.errors import DataError
from adiabat.typing import FloatArray

SAME = 1e-4
"""Two environments whose grades differ by less, relatively, count as one."""
LEAST = 1e-3
"""Of a threshold: smaller grades are made by rounding."""
FALSE_ALARMS = 0.05


@dataclass(frozen=True)
class Thresholds:
    """The largest grade that a structure may have, by its number of distinct environments.

    The more environments, the larger is the largest grade by chance alone; repeating a cell adds none. Where a threshold for
    more environments than the left-out structures hold is asked for, it grows by the power of the number by which it grew
    over the last factor of four.

    Attributes:
        false_alarms: The share of left-out structures that is above.
        counts: Numbers of distinct environments, ascending.
        grades: The threshold at each.
    """

    false_alarms: float
    counts: tuple[int, ...]
    grades: tuple[float, ...]

    @classmethod
    def fit(cls, left_out: Sequence[Tensor], *, false_alarms: float = FALSE_ALARMS) -> Self:
        """From left-out grades.

        The chance that the largest of m environments drawn from a structure is below t is C(k, m) / C(n, m), where k of its n are
        below t; the threshold for m is where its mean over the structures reaches 1 - false_alarms (of one structure more than
        there are, as a new one would be: V. Vovk et al., Algorithmic Learning in a Random World (Springer, 2005)).

        Args:
            left_out: By structure, the grades of its atoms by a detector that has not seen it; infinite ones, of species that
                no other structure holds, are left out.
            false_alarms: The share of structures of the training's kinds that may be flagged.

        Raises:
            DataError: There are too few structures for that share.
        """
        structures = [distinct(grades[torch.isfinite(grades)]) for grades in left_out]
        structures = [grades for grades in structures if len(grades)]
        level = (1 - false_alarms) * (1 + 1 / len(structures)) if structures else np.inf
        if level > 1:
            raise DataError(
                f"{len(structures)} structures were left out one at a time, to find a grade that {false_alarms:.0%} of them exceed",
                place="thresholds of the extrapolation grade",
                rule=f"that takes {int(np.ceil(1 / false_alarms)) - 1} structures or more",
                mend="add structures, or allow for more false alarms",
            )
        most = int(np.quantile([len(grades) for grades in structures], 0.9))
        counts = sorted({*(2**k for k in range(most.bit_length())), most})
        seen = np.unique(np.concatenate(structures))
        found = [_quantile(structures, seen, count, level) for count in counts]
        rising = np.maximum.accumulate(np.maximum(found, LEAST))
        return cls(false_alarms, tuple(counts), tuple(rising.tolist()))

    def at(self, count: int) -> float:
        """The threshold for a structure with so many distinct environments (one or more)."""
        counts, grades = np.log(self.counts), np.log(self.grades)
        last = counts[-1]
        if np.log(count) <= last:
            return float(np.exp(np.interp(np.log(count), counts, grades)))
        earlier = float(np.interp(last - np.log(4), counts, grades))
        power = (grades[-1] - earlier) / np.log(4)
        return float(np.exp(grades[-1] + power * (np.log(count) - last)))


def distinct(grades: Tensor) -> FloatArray:
    """Ascending grades of the distinct environments: of those that differ by less than `SAME`, the least."""
    ascending = np.sort(np.maximum(grades.numpy(), np.finfo(float).tiny))
    found, place = [], 0
    while place < len(ascending):
        found.append(ascending[place])
        place = int(np.searchsorted(ascending, ascending[place] * (1 + SAME), side="right"))
    return np.array(found)


def _quantile(structures: Sequence[FloatArray], seen: FloatArray, count: int, level: float) -> float:
    """The least of the seen grades that the largest of `count` environments is below with the chance `level`."""
    chance = np.zeros(len(seen))
    for grades in structures:
        drawn = min(count, len(grades))
        below = np.searchsorted(grades, seen, side="right")
        log_chance = _log_choose(np.maximum(below, drawn), drawn) - _log_choose(len(grades), drawn)
        chance += np.where(below >= drawn, np.exp(log_chance), 0.0)
    reached = chance / len(structures) >= level - 1e-9
    return float(seen[reached.argmax()])


def _log_choose(n: FloatArray | int, k: int) -> FloatArray:
    return gammaln(np.asarray(n) + 1.0) - gammaln(k + 1.0) - gammaln(np.asarray(n) - k + 1.0)

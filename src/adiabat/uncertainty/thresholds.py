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

        Of m environments drawn from the n of a structure, its k-th smallest is the largest with the chance
        C(k - 1, m - 1) / C(n, m); the threshold for m is the quantile 1 - false_alarms of that, all structures together (of one
        structure more than there are, as a new one would be: V. Vovk et al., Algorithmic Learning in a Random World (Springer, 2005)).

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
        found = [_quantile(structures, count, level) for count in counts]
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


def _quantile(structures: Sequence[FloatArray], count: int, level: float) -> float:
    """What the largest of `count` environments of a structure is below with the chance `level`."""
    grades, chances = np.concatenate(structures), np.concatenate([_largest_of(len(s), count) for s in structures])
    order = grades.argsort(kind="stable")
    reached = chances[order].cumsum() / len(structures) >= level - 1e-9
    return float(grades[order][reached.argmax()])


def _largest_of(available: int, count: int) -> FloatArray:
    """(available,) the chance of each, in ascending order, to be the largest of `count` drawn, or of all where there are fewer."""
    drawn = min(count, available)
    below = np.arange(available, dtype=float)
    chances = np.zeros(available)
    chances[drawn - 1 :] = np.exp(_log_choose(below[drawn - 1 :], drawn - 1) - _log_choose(available, drawn))
    return chances


def _log_choose(n: FloatArray | int, k: int) -> FloatArray:
    return gammaln(np.asarray(n) + 1.0) - gammaln(k + 1.0) - gammaln(np.asarray(n) - k + 1.0)

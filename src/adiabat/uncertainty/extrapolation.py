"""Extrapolation: what a potential keeps of its training to tell which structures are far from it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import ClassVar, Self

import torch
from ase.data import chemical_symbols
from torch import Tensor

from adiabat.errors import UnknownSpecies
from adiabat.results import Result
from adiabat.system import PartState, register
from adiabat.uncertainty.detector import Environments
from adiabat.uncertainty.feature_statistics import FeatureStatistics
from adiabat.uncertainty.mahalanobis import MahalanobisDetector
from adiabat.uncertainty.thresholds import FALSE_ALARMS, SAME, Thresholds, distinct


@dataclass(frozen=True)
class Verdict(Result):
    """Whether a structure is far from the training.

    Attributes:
        flagged: It is.
        worst_atom: The atom with the largest grade, counted within the structure from zero.
        grade: The largest grade; None where it is infinite: the training holds no atom of the species.
        threshold: What it may be for a structure with so many distinct environments.
        environments: How many distinct ones there are.
        why: A sentence.
    """

    flagged: bool
    worst_atom: int
    grade: float | None
    threshold: float
    environments: int
    why: str


@register
@dataclass(frozen=True, eq=False)
class Extrapolation:
    """Grades of atoms and verdicts on structures, by the Mahalanobis distance of their features from the training's.

    Attributes:
        species: Atomic numbers, ascending.
        detector: What gives the grades.
        thresholds: From which grade on a structure is flagged.
    """

    species: tuple[int, ...]
    detector: MahalanobisDetector
    thresholds: Thresholds
    kind: ClassVar[str] = "extrapolation"

    @classmethod
    def fit(
        cls,
        statistics: FeatureStatistics,
        groups: Iterable[Sequence[Environments]],
        *,
        false_alarms: float = FALSE_ALARMS,
    ) -> Self:
        """From the statistics of all training atoms, and training structures that thresholds are taken from.

        Args:
            statistics: Of the features of all atoms of the training.
            groups: Training structures, or a part of them, those that belong together (a trajectory, duplicates) in one group,
                which is left out as a whole. They are gone through once, a group at a time.
            false_alarms: The share of structures of the training's kinds that may be flagged.

        Raises:
            DataError: There are too few structures for that share.
        """
        detector = MahalanobisDetector.of(statistics)
        left_out: list[Tensor] = []
        for group in groups:
            left_out.extend(detector.left_out(group).split([len(structure) for structure in group]))
        return cls(statistics.species, detector, Thresholds.fit(left_out, false_alarms=false_alarms))

    def grades(self, features: Tensor, numbers: Tensor) -> Tensor:
        """(N,) of features (N, K) and atomic numbers (N,): about one for an atom of the training; the larger, the stranger.

        Raises:
            UnknownSpecies: An element that the potential was not trained for.
        """
        known = torch.tensor(self.species)
        places = torch.searchsorted(known, numbers).clamp(max=len(known) - 1)
        foreign = numbers[known[places] != numbers]
        if len(foreign):
            raise UnknownSpecies(
                f"an atom of {chemical_symbols[int(foreign[0])]} was to be graded",
                rule=f"the training knows {', '.join(chemical_symbols[number] for number in self.species)}",
                mend="train with data of this element",
            )
        return self.detector.grades(features, places)

    def verdicts(self, grades: Tensor, numbers: Tensor, counts: Sequence[int]) -> tuple[Verdict, ...]:
        """On structures, one after the other.

        Args:
            grades: (N,) as `grades` gives them.
            numbers: (N,) atomic numbers.
            counts: Atoms of each structure.
        """
        parts = zip(grades.split(list(counts)), numbers.split(list(counts)), strict=True)
        return tuple(self._verdict(*part) for part in parts)

    def _verdict(self, grades: Tensor, numbers: Tensor) -> Verdict:
        worst = int(grades.argmax())
        grade, environments = float(grades[worst]), len(distinct(grades))
        threshold = self.thresholds.at(environments)
        flagged = not grade <= threshold * (1 + SAME)  # so that what is not a number is flagged
        why = self._why(f"atom {worst} ({chemical_symbols[int(numbers[worst])]})", grade, threshold, environments)
        return Verdict(flagged, worst, grade if isfinite(grade) else None, threshold, environments, why)

    def _why(self, atom: str, grade: float, threshold: float, environments: int) -> str:
        if not isfinite(grade):
            return f"there is nothing in the training that {atom} could be compared with"
        different = "one environment" if environments == 1 else f"{environments} different environments"
        share = f"{1 - self.thresholds.false_alarms:.0%} of the training's structures, left out, with {different}"
        times = f"{grade / threshold:.3g}"
        if grade > threshold * (1 + SAME):
            return f"{atom} is {times} times as far from the training as any atom of {share}"
        return f"no atom is farther from the training than those of {share}; {atom} comes to {times} of that"

    def to_state(self) -> PartState:
        """As tensors; factors as their lower triangles, in float32."""
        detector, thresholds = self.detector, self.thresholds
        rows, columns = torch.tril_indices(*detector.factor.shape[1:])
        values = {
            "species": list(self.species),
            "false_alarms": thresholds.false_alarms,
            "counts": list(thresholds.counts),
            "grades": list(thresholds.grades),
        }
        tensors = {
            "count": detector.count,
            "mean": detector.mean,
            "scale": detector.scale,
            "lower_triangles": detector.factor[:, rows, columns].contiguous(),
        }
        return PartState(self.kind, values, tensors)

    @classmethod
    def from_state(cls, state: PartState) -> Self:
        """The inverse of `to_state`."""
        values, tensors = state.values, state.tensors
        n_species, functions = tensors["mean"].shape
        rows, columns = torch.tril_indices(functions, functions)
        factor = torch.zeros(n_species, functions, functions, dtype=tensors["lower_triangles"].dtype)
        factor[:, rows, columns] = tensors["lower_triangles"]
        detector = MahalanobisDetector(tensors["count"], tensors["mean"], tensors["scale"], factor)
        thresholds = Thresholds(values["false_alarms"], tuple(values["counts"]), tuple(values["grades"]))
        return cls(tuple(values["species"]), detector, thresholds)

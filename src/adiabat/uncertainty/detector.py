"""What a detector of extrapolation is: how far each atom's environment is from those of the training."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Environments:
    """The atoms of one structure.

    Attributes:
        features: (n, K).
        species: (n,) int64, the place of each atom's species.
    """

    features: Tensor
    species: Tensor

    def __len__(self) -> int:
        return len(self.features)

    @classmethod
    def together(cls, structures: "Sequence[Environments]") -> "Environments":
        """The atoms of several structures, one after the other."""
        return cls(torch.cat([s.features for s in structures]), torch.cat([s.species for s in structures]))


class Detector(Protocol):
    """A measure of distance from the training data, atom by atom."""

    def grades(self, features: Tensor, species: Tensor) -> Tensor:
        """(N,) the larger, the farther from the training; infinite for a species that it did not hold.

        Args:
            features: (N, K).
            species: (N,) int64, the place of each atom's species.
        """
        ...


def each_species(features: Tensor, species: Tensor, known: int, grade: Callable[[int, Tensor], Tensor]) -> Tensor:
    """(N,) grades that are made species by species.

    Args:
        features: (N, K).
        species: (N,) places.
        known: How many species there are.
        grade: From a place and the features of its atoms.

    Raises:
        ValueError: A place beyond the known species.
    """
    if len(species) and not 0 <= int(species.min()) <= int(species.max()) < known:
        raise ValueError(f"species at places {species.unique().tolist()}, of {known}")
    found = features.new_empty(len(features))
    for place in range(known):
        chosen = species == place
        if bool(chosen.any()):
            found[chosen] = grade(place, features[chosen])
    return found


def cross_fitted(
    groups: Sequence[Sequence[Environments]], fit: Callable[[Sequence[Environments]], Detector], *, folds: int = 5
) -> list[Tensor]:
    """Grades of each group's atoms by a detector that has not seen the group: for detectors without a closed form.

    A detector is made of four fifths of the groups and grades the last fifth, so grades are a little larger than those
    of leaving out one group at a time.

    Args:
        groups: Structures that belong together (a trajectory, duplicates): in one fold.
        fit: Makes a detector.
        folds: How many parts; groups are dealt to them in turn.

    Raises:
        ValueError: There are fewer groups than two.
    """
    if len(groups) < 2:
        raise ValueError(f"{len(groups)} group(s) of structures: one at least is left out and one at least is left")
    folds = min(folds, len(groups))
    found: list[Tensor] = [torch.empty(0)] * len(groups)
    for fold in range(folds):
        rest = [structure for k, group in enumerate(groups) if k % folds != fold for structure in group]
        detector = fit(rest)
        for k in range(fold, len(groups), folds):
            atoms = Environments.together(groups[k])
            found[k] = detector.grades(atoms.features, atoms.species)
    return found

"""What a potential keeps of its training to tell which structures are far from it."""

from collections.abc import Iterator, Sequence

import torch

from adiabat.errors import DataError
from adiabat.neighbors import neighbor_graph
from adiabat.runs import track
from adiabat.system import Batch
from adiabat.training.prepare import Preparation
from adiabat.uncertainty import Environments, Extrapolation, FeatureStatistics


def fit_extrapolation(
    prepared: Preparation, statistics: FeatureStatistics, groups: Sequence[Sequence[int]], *, quiet: bool = False
) -> tuple[Extrapolation | None, str]:
    """The detector and its thresholds, from groups of structures that are left out in turn.

    Args:
        prepared: The model and its data.
        statistics: Of the features of all atoms.
        groups: Indices of structures that belong together.
        quiet: Show no progress.

    Returns:
        The detector, and a note; None where there are too few structures.
    """

    def environments() -> Iterator[list[Environments]]:
        for group in track(groups, "learning what is far from the data", quiet=quiet):
            yield [_environments(prepared, index) for index in group]

    try:
        return Extrapolation.fit(statistics, environments()), ""
    except DataError as error:
        return None, f"structures far from the data are not told: {error.what}, and {error.rule}"


def _environments(prepared: Preparation, index: int) -> Environments:
    batch = Batch.from_atoms(prepared.fitted[index].atoms)
    features = prepared.model.features(neighbor_graph(batch, prepared.model.cutoff))
    return Environments(features, torch.searchsorted(torch.tensor(prepared.model.species), batch.numbers))

"""What a potential keeps of its training to tell which structures are far from it."""

from collections.abc import Iterator, Sequence

import torch

from adiabat.errors import DataError
from adiabat.neighbors import neighbor_graph
from adiabat.runs import track
from adiabat.system import Batch, FeatureModel, Labelled
from adiabat.uncertainty import Environments, Extrapolation, FeatureStatistics


def fit_extrapolation(
    model: FeatureModel, statistics: FeatureStatistics, groups: Sequence[Sequence[Labelled]], *, quiet: bool = False
) -> tuple[Extrapolation | None, str]:
    """The detector and its thresholds, from groups of structures that are left out in turn.

    Args:
        model: Whose features they are.
        statistics: Of the features of all atoms.
        groups: Structures that belong together.
        quiet: Show no progress.

    Returns:
        The detector, and a note; None where there are too few structures.
    """

    def of_groups() -> Iterator[list[Environments]]:
        for group in track(groups, "learning what is far from the data", quiet=quiet):
            yield [environments(model, one) for one in group]

    try:
        return Extrapolation.fit(statistics, of_groups()), ""
    except DataError as error:
        return None, f"structures far from the data are not told: {error.what}, and {error.rule}"


def environments(model: FeatureModel, structure: Labelled) -> Environments:
    """The atoms of a structure."""
    batch = Batch.from_atoms(structure.atoms)
    with torch.no_grad():
        features = model.features(neighbor_graph(batch, model.cutoff))
    return Environments(features, torch.searchsorted(torch.tensor(model.species), batch.numbers))

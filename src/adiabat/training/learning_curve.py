"""The learning curve of a potential: its errors, had it been trained on less of its data."""

from collections.abc import Iterator, Sequence

import numpy as np

from adiabat.errors import DataError
from adiabat.evaluation import Evaluation, LearningCurve, evaluate
from adiabat.potential import Potential
from adiabat.runs import track
from adiabat.system import Labelled
from adiabat.training.config import TrainConfig
from adiabat.training.stored import require_trained_on, stored_basis, stored_configuration
from adiabat.training.train import fit

PARTS = (1 / 8, 1 / 4, 1 / 2)
"""Of the training structures. To train on all of these takes about as long as the one training on the whole."""
FEWEST = 4
"""Structures: a fit to fewer says nothing."""
SEED = 0


def measure_learning_curve(
    potential: Potential, training: Sequence[Labelled], evaluation: Evaluation, *, evaluated_on: str
) -> LearningCurve:
    """Train with the potential's basis and configuration on growing parts of its data, and evaluate each.

    Each part holds the smaller ones, the same share of each config_type, and all isolated atoms; the last point is the
    potential itself. The data were checked as a whole when the potential was trained on them, and are not checked again.

    Args:
        potential: The one that was trained on all.
        training: What it was trained on.
        evaluation: Its errors; those of the parts are of the same structures.
        evaluated_on: What these are, for the plot.

    Raises:
        ConfigurationError: The potential holds no configuration of a training, or no linear model.
        DataError: There are too few structures, or the potential was trained on others.
    """
    require_trained_on(potential, training, place="training data")
    config, basis = stored_configuration(potential), stored_basis(potential)
    tested = [one.structure for one in evaluation.comparison.compared]
    parts = growing_parts(training)
    found: list[Evaluation] = []

    def structure_by_structure() -> Iterator[int]:
        for part in parts:
            fitted = fit(part, _suiting(config, part), basis=basis, quiet=True)
            found.append(evaluate(fitted, tested, calibration=False, quiet=True))
            yield from range(len(part))

    for _ in track(structure_by_structure(), "learning curve: structures", total=sum(len(part) for part in parts)):
        pass
    found.append(evaluation)
    return LearningCurve(
        size_name="training structures",
        sizes=tuple(_count(part) for part in (*parts, training)),
        energy_mae_mev_per_atom=tuple(errors.energy_mae_mev_per_atom for errors in found),
        force_mae_ev_per_angstrom=tuple(errors.force_mae_ev_per_angstrom for errors in found),
        evaluated_on=evaluated_on,
    )


def growing_parts(structures: Sequence[Labelled]) -> list[list[Labelled]]:
    """Parts of the data, smallest first, that hold every species of the whole.

    Raises:
        DataError: None of them is large enough.
    """
    free = [index for index, structure in enumerate(structures) if not structure.is_isolated_atom]
    order = _mixed([structures[index].config_type for index in free])
    species = _species(structures[index] for index in free)
    parts = []
    for size in (round(part * len(free)) for part in PARTS):
        chosen = {free[place] for place in order[:size]}
        if size >= FEWEST and _species(structures[index] for index in chosen) == species:
            parts.append([s for index, s in enumerate(structures) if s.is_isolated_atom or index in chosen])
    if not parts:
        raise DataError(
            f"{len(free)} structures are too few for a learning curve",
            place="training data",
            rule=f"half of them are {FEWEST} structures or more, and hold every species",
            mend="leave the learning curve out",
        )
    return parts


def _mixed(config_types: Sequence[str]) -> list[int]:
    """Places in random order, such that any first part of it holds the same share of each config_type."""
    rng = np.random.default_rng(SEED)
    share = np.empty(len(config_types))
    for name in sorted(set(config_types)):
        places = [place for place, other in enumerate(config_types) if other == name]
        share[rng.permutation(places)] = (np.arange(len(places)) + rng.uniform()) / len(places)
    return [int(place) for place in np.argsort(share, kind="stable")]


def _species(structures: Iterator[Labelled]) -> set[int]:
    return {int(number) for structure in structures for number in structure.atoms.numbers}


def _count(structures: Sequence[Labelled]) -> int:
    return sum(not structure.is_isolated_atom for structure in structures)


def _suiting(config: TrainConfig, part: Sequence[Labelled]) -> TrainConfig:
    """The configuration, less noise levels by config_type where a part of the data has only one."""
    of_one_type = len({s.config_type for s in part if not s.is_isolated_atom and s.labels.any}) < 2
    if not (config.search.noise_per_config_type and of_one_type):
        return config
    one_level = config.search.model_copy(update={"noise_per_config_type": False})
    return config.model_copy(update={"search": one_level})

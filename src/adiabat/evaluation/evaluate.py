"""evaluate: how far a potential is from reference labels, and whether it knows how far."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from adiabat.evaluation.compare import Compared, Comparison, LeftOut, compare
from adiabat.evaluation.distance import Distance
from adiabat.evaluation.statistics import BOOTSTRAP_SAMPLES, BOOTSTRAP_SEED
from adiabat.evaluation.summary import ErrorSummary, summarize
from adiabat.evaluation.trust import Trust
from adiabat.potential import Potential
from adiabat.results import IN_MEMORY, Result
from adiabat.system import Labelled


@dataclass(frozen=True)
class Evaluation(ErrorSummary, Result):
    """The errors of a potential on labelled structures, and the calibration of its standard deviations.

    Attributes:
        by_config_type: The same errors for each kind of structure, in the order of the file.
        left_out: Structures that could not be compared, and why.
        bootstrap_samples: Of the intervals.
        bootstrap_seed: Of the intervals: the same data give the same interval.
        comparison: Reference and prediction of each structure, for plots; not in the JSON.
        uncertainty: Which structures to trust the potential on, where that was asked for: see `trust`.
    """

    by_config_type: dict[str, ErrorSummary]
    left_out: tuple[LeftOut, ...]
    bootstrap_samples: int
    bootstrap_seed: int
    comparison: Comparison = field(metadata=IN_MEMORY, repr=False)
    uncertainty: Trust | None = None


def evaluate(
    potential: Potential,
    structures: Sequence[Labelled],
    *,
    distance: Distance | None = None,
    calibration: bool = True,
    quiet: bool = False,
) -> Evaluation:
    """Errors of energy, forces and stress, overall and by config_type, wherever there are labels.

    Of a potential that has uncertainties, their calibration too; their exact standard deviations take longer than the rest.

    Args:
        potential: What is looked at.
        structures: With their labels.
        distance: For the plot of errors against it: see `training_distance`.
        calibration: Whether standard deviations are asked for, where the potential has them.
        quiet: Show no progress.

    Raises:
        UnknownSpecies: An element that the potential does not know, in the first place where it stands.
        DataError: A label of the wrong shape or not finite; nothing that can be compared.
        StructureError: A structure that cannot be evaluated.
    """
    uncertainty = calibration and potential.has_uncertainty
    comparison = compare(potential, structures, distance=distance, uncertainty=uncertainty, quiet=quiet)
    by_type: dict[str, list[Compared]] = {}
    for one in comparison.compared:
        by_type.setdefault(one.structure.config_type, []).append(one)
    return Evaluation(
        **vars(summarize(comparison.compared)),
        by_config_type={name: summarize(members) for name, members in by_type.items()},
        left_out=comparison.left_out,
        bootstrap_samples=BOOTSTRAP_SAMPLES,
        bootstrap_seed=BOOTSTRAP_SEED,
        comparison=comparison,
    )

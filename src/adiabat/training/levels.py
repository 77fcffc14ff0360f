"""Levels of theory: structures of several teach one network with a head for each; the potential is of one of them."""

from collections.abc import Mapping, Sequence

from adiabat.data import atomic_reference
from adiabat.errors import ConfigurationError, DataError
from adiabat.models import IsolatedAtoms
from adiabat.potential import Potential
from adiabat.system import Labelled
from adiabat.training.config import BY_GRADIENTS, TrainConfig

RULE = "labels of several levels of theory are told apart: each structure names its own (data.keys.level), and data.level the potential's"


def by_level(
    structures: Sequence[Labelled], config: TrainConfig
) -> tuple[list[Labelled], Mapping[str, list[Labelled]]]:
    """Those of the level that the potential is to be of, and those of each other level.

    Raises:
        DataError: Several levels, and none is chosen; some structures name none.
        ConfigurationError: A level that the data do not have; several for a model that learns one.
    """
    levels = sorted({one.level for one in structures if one.level is not None})
    wanted = config.data.level
    if wanted is None and len(levels) < 2:
        return list(structures), {}
    unnamed = next((one for one in structures if one.level is None), None)
    if unnamed is not None:
        raise DataError(
            "names no level of theory",
            place=unnamed.place,
            rule=RULE,
            mend=f"give it one of {', '.join(levels)}" if levels else "leave data.level out, or name the key",
        )
    if wanted not in levels:
        what = f"data.level is {wanted}" if wanted is not None else "no level is chosen"
        raise ConfigurationError(
            f"{what}; the data have {', '.join(levels)}",
            place="data.level",
            rule=RULE,
            mend=f"--set data.level={levels[0]}",
        )
    others = {level: [one for one in structures if one.level == level] for level in levels if level != wanted}
    if others and config.model not in BY_GRADIENTS:
        raise ConfigurationError(
            f"labels of {', '.join(levels)} with model={config.model}",
            place="data.level",
            rule="a linear fit learns one level; networks have a head for each",
            mend=f"train with --model network or messages, or on a file with {wanted} alone",
        )
    return [one for one in structures if one.level == wanted], others


def baseline_of(structures: Sequence[Labelled], baseline: Potential) -> Potential:
    """A baseline with the isolated atoms of another level.

    Args:
        structures: Of that level.
        baseline: Of the potential's own.

    Raises:
        DataError: The energies of isolated atoms are neither there nor to be found by a fit.
    """
    reference = atomic_reference(structures)
    parts = [
        IsolatedAtoms(reference.energies_ev, reference.sources, part.cutoff)
        if isinstance(part, IsolatedAtoms)
        else part
        for part in baseline.parts
    ]
    return Potential(parts)

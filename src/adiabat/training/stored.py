"""What a trained potential holds of its training: the configuration, the basis, which data."""

from collections.abc import Sequence
from pathlib import Path

from adiabat.basis.specification import BasisSpecification
from adiabat.data import fingerprint, read, split
from adiabat.errors import ConfigurationError, DataError
from adiabat.models import LinearACE
from adiabat.potential import Potential
from adiabat.system import Labelled
from adiabat.training.config import TrainConfig


def training_data(potential: Potential, file: Path) -> list[Labelled]:
    """The structures that a potential was trained on, read and split as its stored configuration says.

    Raises:
        ConfigurationError: The potential holds no configuration of a training.
        DataError: The file cannot be used, or holds other data than the potential was trained on.
    """
    config = stored_configuration(potential)
    structures = read(file, keys=config.data.keys)
    if config.data.split is not None:
        structures, _ = split(structures, config.data.split).apply(structures)
    require_trained_on(potential, structures, place=str(file))
    return structures


def require_trained_on(potential: Potential, structures: Sequence[Labelled], *, place: str) -> None:
    """Refuse other structures than a potential was trained on.

    Raises:
        ConfigurationError: The potential holds no configuration of a training.
        DataError: They are others.
    """
    stored_configuration(potential)
    trained_on, found = potential.metadata["data"], fingerprint(structures)
    if found != trained_on["fingerprint"]:
        raise DataError(
            f"holds {len(structures)} structures with the fingerprint {found[:12]}; the potential was "
            f"trained on {trained_on['structures']} with {trained_on['fingerprint'][:12]}",
            place=place,
            rule="a learning curve is made of parts of the data that the potential was trained on",
            mend="name the file that it was trained on",
        )


def stored_configuration(potential: Potential) -> TrainConfig:
    """The configuration that a potential was trained with.

    Raises:
        ConfigurationError: It holds none, or one of another version.
    """
    place = "configuration in the potential"
    if not {"configuration", "data"} <= potential.metadata.keys():
        raise ConfigurationError(
            "the potential holds no configuration of a training",
            place=place,
            rule="a learning curve trains again as the potential was trained",
            mend="name a potential that `adiabat train` wrote",
        )
    return TrainConfig.restore(potential.metadata["configuration"], place=place)


def stored_basis(potential: Potential) -> BasisSpecification:
    """The basis of a potential's linear model.

    Raises:
        ConfigurationError: It has none.
    """
    for part in potential.parts:
        if isinstance(part, LinearACE):
            return part.basis
    raise ConfigurationError(
        "the potential holds no linear ACE",
        place="potential",
        rule="a basis is that of a linear ACE",
        mend="name a potential that `adiabat train` wrote",
    )

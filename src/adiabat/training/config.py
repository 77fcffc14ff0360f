"""What a training run is told."""

from pydantic import Field

from adiabat.basis.presets import BasisConfig
from adiabat.config import Config
from adiabat.data import DataConfig
from adiabat.training.groups import CalibrationConfig
from adiabat.training.hyperparameters import SearchConfig
from adiabat.training.repulsion import RepulsionConfig


class TrainConfig(Config):
    """Everything that a potential depends on beside its data.

    Attributes:
        data: Keys, isolated-atom energies, splits.
        basis: The invariants.
        repulsion: What takes over where atoms come closer than in the data.
        search: How noise levels and prior are chosen.
        calibration: How error bars are calibrated.
        accept: Names of findings in the data that are known and wanted.
    """

    data: DataConfig = Field(default_factory=DataConfig)
    basis: BasisConfig = Field(default_factory=BasisConfig)
    repulsion: RepulsionConfig = Field(default_factory=RepulsionConfig)
    search: SearchConfig = Field(default_factory=SearchConfig)
    calibration: CalibrationConfig = Field(default_factory=CalibrationConfig)
    accept: tuple[str, ...] = ()

"""What analyses of a trajectory are told."""

from typing import Annotated, Literal

from pydantic import Field, FiniteFloat

from adiabat.config import Config

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class EnsembleConfig(Config):
    """How frames were made that do not say so themselves; a run's folder does.

    Attributes:
        kind: "nve", "nvt" or "npt".
        thermostat: "langevin", "csvr" or "nhc".
        temperature_k: The thermostat's.
        coupling_fs: The thermostat's time constant.
    """

    kind: Literal["nve", "nvt", "npt"] | None = None
    thermostat: Literal["langevin", "csvr", "nhc"] | None = None
    temperature_k: Positive | None = None
    coupling_fs: Positive | None = None


class RdfConfig(Config):
    """Radial distribution functions.

    Attributes:
        cutoff_angstrom: The largest distance; left out, half of the cell's least height, 10 Å at most.
        bin_angstrom: Width of the bins.
    """

    cutoff_angstrom: Positive | None = None
    bin_angstrom: Positive = 0.05


class AdfConfig(Config):
    """Angular distribution functions.

    Attributes:
        cutoff_angstrom: Within which atoms are neighbours; left out, the first minimum of each pair's g(r).
    """

    cutoff_angstrom: Positive | None = None


class StructureFactorConfig(Config):
    """The structure factor.

    Attributes:
        largest_per_angstrom: The largest wave number.
    """

    largest_per_angstrom: Positive = 10.0


class MsdConfig(Config):
    """Mean squared displacements.

    Attributes:
        viscosity_mpa_s: For the size of the correction for periodic images.
        viscosity_mpa_s_std: Its standard error.
    """

    viscosity_mpa_s: Positive | None = None
    viscosity_mpa_s_std: NotNegative | None = None


class FramesConfig(Config):
    """What reading a trajectory needs to be told.

    Attributes:
        skip_ps: Left out from the start, the way to equilibrium.
        interval_fs: From frame to frame, where frames do not say so themselves.
        wrapped: Whether positions of frames were put back into the cell; a run's are not.
        ensemble: How frames were made that do not say so themselves.
    """

    skip_ps: NotNegative = 0.0
    interval_fs: Positive | None = None
    wrapped: bool = False
    ensemble: EnsembleConfig = EnsembleConfig()


class AnalyseConfig(FramesConfig):
    """What `adiabat analyse` is told.

    Attributes:
        rdf: Radial distribution functions.
        adf: Angular distribution functions.
        structure_factor: The structure factor.
        msd: Mean squared displacements.
        charges: e, by chemical symbol, for the ionic conductivity.
    """

    rdf: RdfConfig = RdfConfig()
    adf: AdfConfig = AdfConfig()
    structure_factor: StructureFactorConfig = StructureFactorConfig()
    msd: MsdConfig = MsdConfig()
    charges: dict[str, FiniteFloat] = Field(default_factory=dict)

"""What a validation is told."""

from typing import Annotated

from pydantic import Field, PositiveInt

from adiabat.config import Config
from adiabat.properties.observables import FramesConfig

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Limits(Config):
    """How strictly is judged.

    Attributes:
        energy_mae_mev_per_atom: On the test set; 5 is a fifth of k_B T at 300 K.
        force_error: Root mean square error of forces on the test set, over the root mean square of the forces.
        stress_error: Likewise of stresses.
        drift_mev_per_atom_per_ps: Of the energy in nve: 0.02 is 20 meV/atom in a nanosecond.
        spurious_depth_mev_per_atom: Of a second minimum under compression or expansion.
        beyond_cutoff_mev_per_atom: What the potential's own decay says lies beyond its cutoff.
        structure_share: Of their area, in which distributions may differ from those of a reference trajectory.
        false_alarms: How often the statistical checks of a sound potential may fail, all together.
    """

    energy_mae_mev_per_atom: Positive = 5.0
    force_error: Positive = 0.25
    stress_error: Positive = 0.4
    drift_mev_per_atom_per_ps: Positive = 0.02
    spurious_depth_mev_per_atom: Positive = 5.0
    beyond_cutoff_mev_per_atom: Positive = 10.0
    structure_share: Positive = 0.05
    false_alarms: Annotated[float, Field(gt=0, lt=0.5)] = 0.01


class ValidateConfig(Config):
    """What `adiabat validate` is told.

    Attributes:
        timestep_fs: Of all dynamics; left out, by the lightest atom: 0.5 fs with hydrogen, 1 fs with carbon, 2 fs at most.
        replicas: Of the start, which are simulated side by side at constant temperature.
        settle_ps: On the way to equilibrium.
        nvt_ps: At constant temperature, of each replica.
        nve_ps: At constant energy, of one.
        hot_ps: At twice the temperature, of one.
        seed: Of all random numbers.
        reference: How the frames of a reference trajectory were made, and what of them is left out.
        limits: How strictly is judged.
    """

    timestep_fs: Positive | None = None
    replicas: PositiveInt = 4
    settle_ps: Positive = 1.0
    nvt_ps: Positive = 4.0
    nve_ps: Positive = 4.0
    hot_ps: Positive = 4.0
    seed: Annotated[int, Field(ge=0)] = 0
    reference: FramesConfig = FramesConfig()
    limits: Limits = Limits()

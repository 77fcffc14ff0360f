"""What a simulation is told."""

from typing import Annotated, Any, Literal, cast

from pydantic import Field, PositiveInt, ValidationInfo, field_validator

from adiabat.config import Config
from adiabat.simulate.integrator import Integrator
from adiabat.simulate.langevin import LangevinBAOAB
from adiabat.simulate.nve import VelocityVerlet
from adiabat.simulate.streams import SEEDS

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]

DEFAULT_FRICTION_PER_FS = 0.01
"""A relaxation time of 100 fs, a few vibrations: the temperature settles within a picosecond. Where the dynamics themselves
are to be measured, equilibrate with it and measure in nve."""


class Outputs(Config):
    """What is written, and how often.

    Attributes:
        trajectory_every: Steps from frame to frame.
        log_every: Steps from line to line of the thermodynamic log.
        checkpoint_every: Steps from checkpoint to checkpoint: what a kill can cost; left out, half a minute.
        forces: Whether frames keep their forces.
    """

    trajectory_every: PositiveInt = 10
    log_every: PositiveInt = 10
    checkpoint_every: PositiveInt | None = None
    forces: bool = False


class SimulationConfig(Config):
    """One run of molecular dynamics.

    Attributes:
        ensemble: "nve" (velocity Verlet) or "nvt" (Langevin, BAOAB).
        steps: In all, those before a resume among them.
        timestep_fs: fs.
        temperature_k: nvt: the thermostat's. nve: of the velocities drawn at the start; left out, those of the start
            structure are used.
        friction_per_fs: nvt only; 0.01 where left out.
        seed: Of all random numbers; 0 where left out.
        output: What is written.
    """

    ensemble: Literal["nve", "nvt"]
    steps: PositiveInt
    timestep_fs: Positive
    temperature_k: NotNegative | None = None
    friction_per_fs: Positive | None = None
    seed: Annotated[int, Field(ge=0, lt=SEEDS)] | None = None
    output: Outputs = Outputs()

    @field_validator("temperature_k")
    @classmethod
    def _thermostat_has_a_temperature(cls, value: float | None, info: ValidationInfo) -> float | None:
        if value is None and info.data.get("ensemble") == "nvt":
            raise ValueError("nvt needs a temperature")
        return value

    @field_validator("friction_per_fs")
    @classmethod
    def _friction_has_an_effect(cls, value: float | None, info: ValidationInfo) -> float | None:
        if value is not None and info.data.get("ensemble") == "nve":
            raise ValueError("has no effect in nve, which has no thermostat")
        return value

    def integrator(self) -> Integrator:
        """The integrator of the ensemble."""
        if self.ensemble == "nve":
            return VelocityVerlet(self.timestep_fs)
        temperature_k = cast(float, self.temperature_k)  # the validator has seen to it
        return LangevinBAOAB(self.timestep_fs, temperature_k, self.friction_per_fs or DEFAULT_FRICTION_PER_FS)

    def identity(self) -> dict[str, Any]:
        """What a resumed run must share with the one that it goes on with: all but its length and its checkpoints."""
        outputs = self.output.model_dump(exclude={"checkpoint_every"})
        return {
            "ensemble": self.ensemble,
            "timestep_fs": self.timestep_fs,
            "temperature_k": self.temperature_k,
            "friction_per_fs": (self.friction_per_fs or DEFAULT_FRICTION_PER_FS) if self.ensemble == "nvt" else None,
            "seed": self.seed or 0,
            **{f"output.{name}": value for name, value in outputs.items()},
        }

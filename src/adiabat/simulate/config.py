"""What a simulation is told."""

import math
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import BeforeValidator, Field, PositiveInt, ValidationInfo, field_validator

from adiabat.config import Config
from adiabat.simulate.pressure import CellShape
from adiabat.simulate.schedule import Course, read_courses
from adiabat.simulate.streams import SEEDS

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
ThermostatKind: TypeAlias = Literal["langevin", "csvr", "nhc"]

DEFAULT_FRICTION_PER_FS = 0.01
"""A relaxation time of 100 fs, a few vibrations: the temperature settles within a picosecond. Where the dynamics themselves
are to be measured, equilibrate with it and measure in nve."""
DEFAULT_UNCERTAIN_EVERY = 100
DEFAULT_THERMOSTAT_TIME_FS = 100.0
DEFAULT_BAROSTAT_TIME_FS = 1000.0
"""Ten times the thermostat's: the volume follows what is thermal already."""


def _timestep(value: Any) -> Any:
    if value == "auto":
        return value
    number = _number(value, "a number, or auto")
    if not number > 0:
        raise ValueError("greater than 0, or auto")
    return number


def _course(value: Any) -> float | str | None:
    """A number where one is for all and steady, else the text in its shortest form."""
    if value is None:
        return None
    if not isinstance(value, str):
        return _number(value, "a number, a ramp as 300:1500, or one for each replica as 300,600")
    try:
        courses = read_courses(value)
    except ValueError:
        raise ValueError("a number, a ramp as 300:1500, or one for each replica as 300,600") from None
    if not all(math.isfinite(end) for course in courses for end in (course.start, course.end)):
        raise ValueError("a finite number")
    first = courses[0]
    return first.start if len(courses) == 1 and first.start == first.end else ",".join(map(str, courses))


def _temperature(value: Any) -> float | str | None:
    found = _course(value)
    if found is not None and min(end for course in read_courses(str(found)) for end in (course.start, course.end)) < 0:
        raise ValueError("greater than or equal to 0")
    return found


def _number(value: Any, rule: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(rule) from None
    if not math.isfinite(number):
        raise ValueError("a finite number")
    return number


class Outputs(Config):
    """What is written, and how often.

    Attributes:
        trajectory_every: Steps from frame to frame.
        log_every: Steps from line to line of the thermodynamic log.
        checkpoint_every: Steps from checkpoint to checkpoint: what a kill can cost; left out, half a minute.
        forces: Whether frames keep their forces.
        stress: Whether frames keep the stress of the potential energy, of structures that have one.
    """

    trajectory_every: PositiveInt = 10
    log_every: PositiveInt = 10
    checkpoint_every: PositiveInt | None = None
    forces: bool = False
    stress: bool = False


class AdaptiveTimestep(Config):
    """A time step that is shorter where a state needs it, see `VariableTimestep`.

    Attributes:
        largest_displacement_angstrom: Of any atom in one step.
        energy_error_ev_per_atom: In one step.
    """

    largest_displacement_angstrom: Positive = 0.1
    energy_error_ev_per_atom: Positive = 1e-3


class SimulationConfig(Config):
    """Molecular dynamics of a structure, or of several replicas of it at once.

    Attributes:
        ensemble: "nve" (velocity Verlet), "nvt", "npt".
        steps: In all, those before a resume among them.
        timestep_fs: fs; "auto": by the stiffest vibration of the start structure.
        temperature_k: nvt, npt: the thermostat's; ``300:1500`` is a ramp over the whole run, ``300,600`` one for each replica. nve: of
            the velocities drawn at the start; left out, those of the start structure are used.
        pressure_gpa: npt only: the barostat's; ramps and replicas likewise.
        thermostat: "langevin" (BAOAB), "csvr" (stochastic velocity rescaling), "nhc" (Nosé-Hoover chains); left out, langevin in nvt,
            csvr in npt. In npt the barostat goes with it: stochastic cell rescaling with the first two, Martyna's, Tobias's and
            Klein's with the last.
        friction_per_fs: Of langevin; 0.01 where left out.
        thermostat_time_fs: Time constant of csvr and nhc; 100 fs where left out.
        barostat_time_fs: Time constant in npt; 1000 fs where left out.
        cell: npt: "isotropic", where left out, or "flexible": which of the cell changes.
        compressibility_per_gpa: npt with langevin and csvr: an estimate, by which the barostat's time constant is right; left out, the
            potential's at the start structure.
        replicas: How many of the start structure are simulated at once, each with its own random numbers and files; left out, one, or as
            many as there are temperatures or pressures.
        seed: Of all random numbers; 0 where left out.
        adaptive: Take shorter steps than `timestep_fs` where a state needs them; left out, all are equal. For one structure at a time.
        on_uncertain: What is done where the structure is far from the training: "warn" and dump it to uncertain.xyz, "stop" as well, or
            "shrink" the time step as well, down to an eighth (for one structure at a time), or "correct" as well: ask the oracle that
            the run was given, and carry the difference on to the next look (nve, nvt). Left out, nobody looks.
        uncertain_every: Steps from look to look; 100 where left out. A look costs some three steps.
        uncertain_above: Times the grade that one of twenty structures of the training's kinds exceeds; 1 where left out.
        error_every: Steps from one estimate of the energies' standard deviations to the next, for log and frames; left out, there are
            none. An estimate costs a third of a step more.
        error_above_mev: Standard deviation of an atom's energy above which on_uncertain acts as well; left out, it does not.
        output: What is written.
    """

    ensemble: Literal["nve", "nvt", "npt"]
    steps: PositiveInt
    timestep_fs: Annotated[float | Literal["auto"], BeforeValidator(_timestep)]
    temperature_k: Annotated[float | str | None, BeforeValidator(_temperature)] = None
    pressure_gpa: Annotated[float | str | None, BeforeValidator(_course)] = None
    thermostat: ThermostatKind | None = None
    friction_per_fs: Positive | None = None
    thermostat_time_fs: Positive | None = None
    barostat_time_fs: Positive | None = None
    cell: CellShape | None = None
    compressibility_per_gpa: Positive | None = None
    replicas: PositiveInt | None = None
    seed: Annotated[int, Field(ge=0, lt=SEEDS)] | None = None
    adaptive: AdaptiveTimestep | None = None
    on_uncertain: Literal["warn", "stop", "shrink", "correct"] | None = None
    uncertain_every: PositiveInt | None = None
    uncertain_above: Positive | None = None
    error_every: PositiveInt | None = None
    error_above_mev: Positive | None = None
    output: Outputs = Outputs()

    @field_validator("adaptive", "on_uncertain")
    @classmethod
    def _one_step_for_all(cls, value: Any, info: ValidationInfo) -> Any:
        if (info.field_name == "adaptive" and value is not None) or value == "shrink":
            given = [str(info.data.get(name)) for name in ("temperature_k", "pressure_gpa")]
            if (info.data.get("replicas") or 1) > 1 or any("," in one for one in given):
                raise ValueError("has one structure at a time: replicas would share their step")
        return value

    @field_validator("uncertain_every", "uncertain_above")
    @classmethod
    def _somebody_looks(cls, value: float | None, info: ValidationInfo) -> float | None:
        if value is not None and info.data.get("on_uncertain") is None:
            raise ValueError("has no effect without on_uncertain")
        return value

    @field_validator("error_above_mev")
    @classmethod
    def _somebody_acts_on_errors(cls, value: float | None, info: ValidationInfo) -> float | None:
        if value is not None and (info.data.get("on_uncertain") is None or info.data.get("error_every") is None):
            raise ValueError("has no effect without on_uncertain and error_every")
        return value

    @field_validator("on_uncertain")
    @classmethod
    def _corrections_have_no_stress(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value == "correct" and info.data.get("ensemble") == "npt":
            raise ValueError("correct is for nve and nvt: between looks a correction has forces, and no stress")
        return value

    @field_validator("temperature_k")
    @classmethod
    def _thermostat_has_a_temperature(cls, value: float | str | None, info: ValidationInfo) -> float | str | None:
        ensemble = info.data.get("ensemble")
        if value is None and ensemble in ("nvt", "npt"):
            raise ValueError(f"{ensemble} needs a temperature")
        if isinstance(value, str) and ":" in value and ensemble == "nve":
            raise ValueError("a ramp has no effect in nve, which has no thermostat")
        return value

    @field_validator("pressure_gpa")
    @classmethod
    def _barostat_has_a_pressure(cls, value: float | str | None, info: ValidationInfo) -> float | str | None:
        if value is None and info.data.get("ensemble") == "npt":
            raise ValueError("npt needs a pressure")
        return _require_effect(value, info, "npt", "which has no barostat")

    @field_validator("thermostat")
    @classmethod
    def _thermostat_has_an_effect(cls, value: str | None, info: ValidationInfo) -> str | None:
        return _require_effect(value, info, "nvt npt", "which has no thermostat")

    @field_validator("friction_per_fs")
    @classmethod
    def _friction_has_an_effect(cls, value: float | None, info: ValidationInfo) -> float | None:
        _require_effect(value, info, "nvt npt", "which has no thermostat")
        if value is not None and _kind(info.data) != "langevin":
            raise ValueError(f"has no effect with {_kind(info.data)}, whose time constant is thermostat_time_fs")
        _require_longer(None if value is None else 1 / value, info)
        return value

    @field_validator("thermostat_time_fs")
    @classmethod
    def _thermostat_time_has_an_effect(cls, value: float | None, info: ValidationInfo) -> float | None:
        _require_effect(value, info, "nvt npt", "which has no thermostat")
        if value is not None and _kind(info.data) == "langevin":
            raise ValueError("has no effect with langevin, whose time constant is one over friction_per_fs")
        _require_longer(value, info)
        return value

    @field_validator("barostat_time_fs", "cell", "compressibility_per_gpa")
    @classmethod
    def _barostat_has_an_effect(cls, value: float | str | None, info: ValidationInfo) -> float | str | None:
        _require_effect(value, info, "npt", "which has no barostat")
        if info.field_name == "compressibility_per_gpa" and value is not None and _kind(info.data) == "nhc":
            raise ValueError("has no effect with nhc, whose barostat has a mass of its own")
        if info.field_name == "barostat_time_fs" and isinstance(value, float):
            _require_longer(value, info)
        return value

    @field_validator("replicas")
    @classmethod
    def _each_replica_has_its_target(cls, value: int | None, info: ValidationInfo) -> int | None:
        given = [info.data.get(name) for name in ("temperature_k", "pressure_gpa")]
        lengths = {len(read_courses(one)) for one in given if isinstance(one, str)} - {1}
        if len(lengths | ({value} - {None})) > 1:
            raise ValueError("as many as there are temperatures, or pressures, one for each")
        return value

    @property
    def n_replicas(self) -> int:
        """How many structures are simulated at once."""
        lengths = (len(courses) for courses in (self.temperatures, self.pressures))
        return max(self.replicas or 1, *lengths)

    @property
    def thermostat_kind(self) -> ThermostatKind | None:
        """The thermostat, chosen or by default; None in nve."""
        return _kind({"ensemble": self.ensemble, "thermostat": self.thermostat})

    @property
    def temperatures(self) -> tuple[Course, ...]:
        """One for all replicas or one for each; empty where none is given."""
        return () if self.temperature_k is None else read_courses(str(self.temperature_k))

    @property
    def pressures(self) -> tuple[Course, ...]:
        """Likewise."""
        return () if self.pressure_gpa is None else read_courses(str(self.pressure_gpa))

    def completed(self, **values: float | None) -> Self:
        """With what was left to be found out; raises as `parse`."""
        known = {name: value for name, value in values.items() if value is not None}
        return self.parse(self.model_dump(exclude_unset=True) | known)

    def identity(self) -> dict[str, Any]:
        """What a resumed run must share with the one that it goes on with: all but its length and its checkpoints."""
        outputs = self.output.model_dump(exclude={"checkpoint_every"})
        values = self.model_dump(exclude={"steps", "output", "thermostat", "replicas", "seed"})
        ramped = any(course.start != course.end for course in (*self.temperatures, *self.pressures))
        if self.thermostat_kind == "langevin":
            values["friction_per_fs"] = self.friction_per_fs or DEFAULT_FRICTION_PER_FS
        return {
            **values,
            "thermostat": self.thermostat_kind,
            "replicas": self.n_replicas,
            "seed": self.seed or 0,
            "steps of the ramp": self.steps if ramped else None,
            **{f"output.{name}": value for name, value in outputs.items()},
        }


def _kind(values: dict[str, Any]) -> ThermostatKind | None:
    by_default: dict[str | None, ThermostatKind] = {"nvt": "langevin", "npt": "csvr"}
    return values.get("thermostat") or by_default.get(values.get("ensemble"))


def _require_effect(value: Any, info: ValidationInfo, ensembles: str, why: str) -> Any:
    ensemble = info.data.get("ensemble")
    if value is not None and ensemble is not None and ensemble not in ensembles.split():
        raise ValueError(f"has no effect in {ensemble}, {why}")
    return value


def _require_longer(time_fs: float | None, info: ValidationInfo) -> None:
    step = info.data.get("timestep_fs")
    if time_fs is not None and isinstance(step, float) and time_fs < step:
        raise ValueError(f"a time constant is not shorter than the time step, {step:g} fs; this one is {time_fs:g} fs")

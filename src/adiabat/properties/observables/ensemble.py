"""Ensemble: how the atoms of a trajectory were moved, and what may be asked of it therefore."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self, TypeAlias

from adiabat.errors import ConfigurationError, DataError, PropertyUnavailable
from adiabat.simulate import SimulationConfig
from adiabat.simulate.config import DEFAULT_THERMOSTAT_TIME_FS
from adiabat.simulate.schedule import Course

Kind: TypeAlias = Literal["nve", "nvt", "npt", "unknown"]

WEAK_COUPLING_FS = 1000.0
"""Time constant from which a thermostat that scales all velocities alike leaves correlations of atoms as they are: Basconi and
Shirts, J. Chem. Theory Comput. 9, 2887 (2013), found diffusion and viscosity unchanged at 1 ps and more."""

DESTROYS = {"langevin"}
"""Thermostats that push each atom: they damp what the atoms would do by themselves, however weak they are."""


@dataclass(frozen=True)
class Ensemble:
    """How the atoms of a trajectory were moved.

    Attributes:
        kind: "nve", "nvt" or "npt"; "unknown" where nothing says so.
        thermostat: "langevin", "csvr", "nhc"; None without one, or where it is not known.
        temperature_k: The thermostat's; None without one, or where it was not constant.
        pressure_gpa: The barostat's; None without one.
        coupling_fs: The thermostat's time constant; None where there is none, or it is not known.
    """

    kind: Kind = "unknown"
    thermostat: str | None = None
    temperature_k: float | None = None
    pressure_gpa: float | None = None
    coupling_fs: float | None = None

    @classmethod
    def of_run(cls, description: Path) -> Self:
        """From the run.json of a run.

        Raises:
            DataError: The file is missing or no description of a run.
        """
        try:
            said = json.loads(description.read_text())["configuration"]
            config = SimulationConfig.parse({name: value for name, value in said.items() if value is not None})
        except (OSError, ValueError, KeyError, TypeError, AttributeError, ConfigurationError) as error:
            raise DataError(
                f"is no description of a run: {type(error).__name__}: {error}",
                place=str(description),
                rule="a trajectory is analysed with what its run was told",
                mend="name the folder that `adiabat md` made; of several replicas the folder of one",
            ) from error
        if config.ensemble == "nve":
            return cls(kind="nve")
        thermostat = config.thermostat_kind
        coupling_fs = None
        if thermostat in ("csvr", "nhc"):
            coupling_fs = config.thermostat_time_fs or DEFAULT_THERMOSTAT_TIME_FS
        return cls(
            kind=config.ensemble,
            thermostat=thermostat,
            temperature_k=_constant(config.temperatures, description.parent.name),
            pressure_gpa=_constant(config.pressures, description.parent.name),
            coupling_fs=coupling_fs,
        )

    def __str__(self) -> str:
        """Such as "nvt (langevin, 300 K)"."""
        known = [self.thermostat, None if self.temperature_k is None else f"{self.temperature_k:g} K"]
        known.append(None if self.pressure_gpa is None else f"{self.pressure_gpa:g} GPa")
        inside = ", ".join(one for one in known if one is not None)
        name = "an unknown ensemble" if self.kind == "unknown" else self.kind
        return f"{name} ({inside})" if inside else name

    def require_own_dynamics(self, what: str) -> None:
        """Refuse to read motion in time off a trajectory whose thermostat made part of it.

        Args:
            what: What is asked for.

        Raises:
            PropertyUnavailable: Under Langevin; under another thermostat without a stated weak coupling; under a barostat.
        """
        if self.kind == "nve":
            return
        rule = "transport and spectra are read off motion that no thermostat has changed"
        mend = "equilibrate in nvt, then run nve from the last frame, and analyse that"
        if self.kind == "unknown":
            raise PropertyUnavailable(
                f"{what}: nothing says how the atoms were moved",
                place="ensemble",
                rule=rule,
                mend="say so: --set ensemble.kind=nve",
            )
        if self.kind == "npt":
            raise PropertyUnavailable(
                f"{what}: a barostat changed the cell and moved the atoms with it", place="npt", rule=rule, mend=mend
            )
        if self.thermostat in DESTROYS or self.thermostat is None:
            raise PropertyUnavailable(
                f"{what}: the {self.thermostat or 'unknown'} thermostat pushed each atom",
                place="nvt",
                rule=rule,
                mend=mend,
            )
        if self.coupling_fs is None or self.coupling_fs < WEAK_COUPLING_FS:
            coupled = "a time constant that is not stated" if self.coupling_fs is None else f"{self.coupling_fs:g} fs"
            raise PropertyUnavailable(
                f"{what}: the {self.thermostat} thermostat had {coupled}",
                place="nvt",
                rule=f"{rule}, or that one with a time constant of {WEAK_COUPLING_FS:g} fs or more has hardly changed",
                mend=mend,
            )

    def require_canonical(self, what: str, kinds: tuple[Kind, ...] = ("nvt",)) -> float:
        """The temperature of a trajectory that samples a canonical ensemble.

        Args:
            what: What is asked for.
            kinds: Which ensembles serve.

        Raises:
            PropertyUnavailable: It samples another ensemble, or its temperature was not constant.
        """
        if self.kind not in kinds:
            raise PropertyUnavailable(
                f"{what}: the trajectory is {self.kind}",
                place="ensemble",
                rule=f"these fluctuations mean what they mean in {' or '.join(kinds)} alone",
                mend=f"run {kinds[0]}, or leave it out",
            )
        if self.temperature_k is None:
            raise PropertyUnavailable(
                f"{what}: the temperature of the thermostat is not known, or was not constant",
                place="temperature_k",
                rule="fluctuations are those of one temperature",
                mend="run at one temperature",
            )
        return self.temperature_k


def _constant(courses: Sequence[Course], folder: str) -> float | None:
    """The value of a run, of replicas that of the one whose folder it is; None where it changes."""
    kind, _, number = folder.rpartition("-")
    own = courses
    if len(courses) > 1:
        own = [courses[int(number)]] if kind == "replica" and number.isdecimal() and int(number) < len(courses) else []
    values = {end for course in own for end in (course.start, course.end)}
    return values.pop() if len(values) == 1 else None

"""Ensemble: how the atoms of a trajectory were moved, and what may be asked of it therefore."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self, TypeAlias

from adiabat.errors import DataError, PropertyUnavailable

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
            said: dict[str, Any] = json.loads(description.read_text())["configuration"]
            kind: Kind = said["ensemble"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"is no description of a run: {type(error).__name__}: {error}",
                place=str(description),
                rule="a trajectory is analysed with what its run was told",
                mend="name the folder that `adiabat md` made",
            ) from error
        thermal = kind in ("nvt", "npt")
        return cls(
            kind=kind,
            thermostat=(said.get("thermostat") or "langevin") if thermal else None,
            temperature_k=_constant(said.get("temperature_k")) if thermal else None,
            pressure_gpa=_constant(said.get("pressure_gpa")) if kind == "npt" else None,
            coupling_fs=said.get("thermostat_time_fs") if thermal else None,
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


def _constant(value: Any) -> float | None:
    """A number; None where a schedule or nothing stands."""
    return float(value) if isinstance(value, int | float) else None

"""Analysis: several observables of one trajectory, asked for by name."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from adiabat.errors import AdiabatError, ConfigurationError, PropertyUnavailable
from adiabat.potential import Potential
from adiabat.properties.observables.angular_distribution import angular_distribution
from adiabat.properties.observables.config import AnalyseConfig
from adiabat.properties.observables.diffusion import mean_squared_displacement
from adiabat.properties.observables.ensemble import Ensemble
from adiabat.properties.observables.heat_capacity import heat_capacity
from adiabat.properties.observables.model_error import MemberDifferences
from adiabat.properties.observables.observable import Observable
from adiabat.properties.observables.radial_distribution import radial_distribution
from adiabat.properties.observables.structure_factor import structure_factor
from adiabat.properties.observables.thermal_expansion import thermal_expansion
from adiabat.properties.observables.thermodynamics import averages
from adiabat.properties.observables.trajectory import Trajectory
from adiabat.properties.observables.transport import ionic_conductivity, thermal_conductivity, viscosity
from adiabat.properties.observables.vibrations import vibrations
from adiabat.results import Page, Result


@dataclass(frozen=True)
class Request:
    """What an analysis is made from.

    Attributes:
        trajectory: What is looked at.
        config: How.
        potential: That it was made with; None where none was given.
        quiet: Show no progress.
    """

    trajectory: Trajectory
    config: AnalyseConfig
    potential: Potential | None
    quiet: bool

    def require_potential(self, what: str) -> Potential:
        """The potential; raises PropertyUnavailable where none was given."""
        if self.potential is None:
            raise PropertyUnavailable(
                f"{what}: no potential was given",
                place="--potential",
                rule=f"{what} takes stresses or virials, which frames do not hold",
                mend="give the potential that the trajectory was made with: --potential si.adiabat",
            )
        return self.potential


Analyse: TypeAlias = Callable[[Request], Observable]


def _rdf(request: Request) -> Observable:
    config = request.config.rdf
    members, ensemble = None, request.trajectory.ensemble
    canonical = ensemble.kind == "nvt" and ensemble.temperature_k is not None
    if canonical and request.potential is not None and request.potential.has_uncertainty:
        members = MemberDifferences.along(request.trajectory, request.potential, quiet=request.quiet)
    return radial_distribution(
        request.trajectory,
        cutoff_angstrom=config.cutoff_angstrom,
        bin_angstrom=config.bin_angstrom,
        members=members,
        quiet=request.quiet,
    )


def _msd(request: Request) -> Observable:
    config = request.config.msd
    return mean_squared_displacement(
        request.trajectory,
        viscosity_mpa_s=config.viscosity_mpa_s,
        viscosity_mpa_s_std=config.viscosity_mpa_s_std,
    )


def _adf(request: Request) -> Observable:
    cutoff = request.config.adf.cutoff_angstrom
    return angular_distribution(request.trajectory, cutoff_angstrom=cutoff, quiet=request.quiet)


def _structure_factor(request: Request) -> Observable:
    largest = request.config.structure_factor.largest_per_angstrom
    return structure_factor(request.trajectory, largest_per_angstrom=largest, quiet=request.quiet)


def _viscosity(request: Request) -> Observable:
    return viscosity(request.trajectory, request.require_potential("viscosity"), quiet=request.quiet)


def _thermal_conductivity(request: Request) -> Observable:
    potential = request.require_potential("thermal conductivity")
    return thermal_conductivity(request.trajectory, potential, quiet=request.quiet)


ANALYSES: Mapping[str, Analyse] = {
    "rdf": _rdf,
    "adf": _adf,
    "structure-factor": _structure_factor,
    "msd": _msd,
    "vdos": lambda request: vibrations(request.trajectory),
    "averages": lambda request: averages(request.trajectory),
    "heat-capacity": lambda request: heat_capacity(request.trajectory),
    "expansion": lambda request: thermal_expansion(request.trajectory),
    "viscosity": _viscosity,
    "thermal-conductivity": _thermal_conductivity,
    "ionic-conductivity": lambda request: ionic_conductivity(request.trajectory, request.config.charges),
}
"""By the name under which each is asked for."""


@dataclass(frozen=True)
class Analysis(Result):
    """Observables of one trajectory.

    Attributes:
        place: Where the trajectory comes from.
        ensemble: How its atoms were moved.
        atoms: In each frame.
        frames: That were looked at.
        interval_fs: Between them.
        duration_ps: From the first to the last of them.
        observables: By the name under which each was asked for.
        refused: Why, by the name of each that cannot be read off this trajectory.
    """

    place: str
    ensemble: Ensemble
    atoms: int
    frames: int
    interval_fs: float
    duration_ps: float
    observables: dict[str, Observable]
    refused: dict[str, str] = field(default_factory=dict)

    def sentences(self) -> tuple[str, ...]:
        """What was looked at, and what was found."""
        about = (
            f"{self.frames:,} frames of {self.atoms:,} atoms, {self.interval_fs:g} fs apart: {self.duration_ps:.4g} ps "
            f"of {self.ensemble}."
        )
        return (about, *(sentence for one in self.observables.values() for sentence in one.sentences()))

    def page(self, *, title: str, details: Mapping[str, str] | None = None) -> Page:
        """As a report."""
        figures = tuple(figure for one in self.observables.values() for figure in one.figures())
        return Page(
            title=title,
            summary=(*self.sentences(), *self.refused.values()),
            figures=figures,
            details=dict(details or {}),
        )


def analyse(
    trajectory: Trajectory,
    names: Sequence[str],
    config: AnalyseConfig,
    *,
    potential: Potential | None = None,
    quiet: bool = False,
) -> Analysis:
    """Observables of a trajectory by their names; one that is refused leaves the others as they are.

    Args:
        trajectory: What is looked at.
        names: Of `ANALYSES`.
        config: How.
        potential: That the trajectory was made with, for what frames do not hold: stresses, virials.
        quiet: Show no progress.

    Raises:
        ConfigurationError: A name that is none, or that stands twice.
    """
    require_known(names)
    request = Request(trajectory, config, potential, quiet)
    observables: dict[str, Observable] = {}
    refused: dict[str, str] = {}
    for name in names:
        try:
            observables[name] = ANALYSES[name](request)
        except AdiabatError as error:
            refused[name] = f"{name} is refused: {error}"
    return Analysis(
        place=trajectory.place,
        ensemble=trajectory.ensemble,
        atoms=trajectory.n_atoms,
        frames=trajectory.n_frames,
        interval_fs=trajectory.interval_fs,
        duration_ps=trajectory.duration_ps,
        observables=observables,
        refused=refused,
    )


def require_known(names: Sequence[str]) -> None:
    """Refuse a name that is none of `ANALYSES`, or that stands twice; raises ConfigurationError."""
    for name in names:
        if name not in ANALYSES:
            raise ConfigurationError(
                f"'{name}' is no analysis",
                place="NAMES",
                rule=f"an analysis is one of {', '.join(ANALYSES)}",
                mend="name one of these",
            )
        if list(names).count(name) > 1:
            raise ConfigurationError(
                f"'{name}' stands twice", place="NAMES", rule="each is made once", mend="name it once"
            )

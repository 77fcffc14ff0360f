"""validate: whether a potential is fit for use, and why not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ase import Atoms
from ase.calculators.calculator import BaseCalculator
from ase.data import chemical_symbols

from adiabat.errors import AdiabatError, StructureError, UnknownSpecies
from adiabat.potential import Potential
from adiabat.properties.observables import Trajectory
from adiabat.results import Page, Result, Table
from adiabat.simulate.checks import require_positive
from adiabat.system import Labelled, require_valid
from adiabat.validation.check import Case, Check, CheckResult, Clock
from adiabat.validation.checks.constant_energy import ConstantEnergyCheck
from adiabat.validation.checks.cutoff import CutoffCheck
from adiabat.validation.checks.dimers import DimerCheck
from adiabat.validation.checks.hot_run import HotRunCheck
from adiabat.validation.checks.kinetic_energy import KineticEnergyCheck
from adiabat.validation.checks.labelled_data import LabelledDataCheck
from adiabat.validation.checks.locality import LocalityCheck
from adiabat.validation.checks.paths import PathCheck
from adiabat.validation.checks.pressure import PressureCheck
from adiabat.validation.checks.pushes import PushCheck
from adiabat.validation.checks.spectrum import SpectrumCheck
from adiabat.validation.checks.stress import StressCheck
from adiabat.validation.checks.structure import StructureCheck
from adiabat.validation.checks.volume import VolumeCheck
from adiabat.validation.config import ValidateConfig
from adiabat.validation.subject import Subject

CHECKS: tuple[Check, ...] = (
    LabelledDataCheck(),
    StressCheck(),
    DimerCheck(),
    PushCheck(),
    PathCheck(),
    VolumeCheck(),
    LocalityCheck(),
    CutoffCheck(),
    ConstantEnergyCheck(),
    KineticEnergyCheck(),
    PressureCheck(),
    StructureCheck(),
    SpectrumCheck(),
    HotRunCheck(),
)
"""In the order in which they are made: what takes longest last."""


@dataclass(frozen=True)
class Validation(Result):
    """Whether a potential is fit for use.

    Attributes:
        passed: Whether no check failed.
        subject: What was validated.
        start: The structure that was simulated.
        temperature_k: At which.
        false_alarms: How often statistical checks of a sound potential fail, all together.
        checks: In the order in which they were made.
    """

    passed: bool
    subject: str
    start: str
    temperature_k: float
    false_alarms: float
    checks: tuple[CheckResult, ...]

    @property
    def failed(self) -> tuple[CheckResult, ...]:
        """What failed."""
        return tuple(check for check in self.checks if check.passed is False)

    def sentences(self) -> tuple[str, ...]:
        """The verdict, and each failure with its reason."""
        made = sum(check.passed is not None for check in self.checks)
        verdict = f"{made - len(self.failed)} of {made} checks passed"
        if len(self.checks) > made:
            verdict += f", {len(self.checks) - made} could not be made"
        return (f"{verdict}.", *(f"failed: {check.name}: {check.reason}" for check in self.failed))

    def table(self) -> Table:
        """All checks."""
        words = {True: "passed", False: "FAILED", None: "not made"}
        return Table(
            name="checks",
            title=f"{self.subject} on {self.start}",
            columns=("check", "verdict", "value", "limit", "unit", "reason"),
            rows=tuple(
                (one.name, words[one.passed], _short(one.value), _short(one.limit), one.unit, one.reason)
                for one in self.checks
            ),
        )

    def page(self, *, title: str, details: Mapping[str, str] | None = None) -> Page:
        """As a report."""
        figures = tuple(figure for one in self.checks for figure in one.figures)
        return Page(title, self.sentences(), (self.table(),), figures, details=dict(details or {}))


def validate(
    validated: Potential | BaseCalculator | Subject,
    start: Atoms,
    *,
    temperature_k: float = 300.0,
    data: Sequence[Labelled] = (),
    reference: Trajectory | None = None,
    config: ValidateConfig | None = None,
    checks: Sequence[Check] = CHECKS,
    name: str | None = None,
    quiet: bool = False,
) -> Validation:
    """All checks of a potential, or of any ASE calculator.

    Args:
        validated: What is validated.
        start: A structure as it will be simulated, near equilibrium.
        temperature_k: At which it will be.
        data: Labelled structures that it was not trained on.
        reference: A trajectory of the same system that it is to reproduce.
        config: How much, and how strictly.
        checks: Which; all where nothing else is asked for.
        name: What reports call it.
        quiet: Show no progress.

    Raises:
        StructureError: The start cannot be evaluated.
        UnknownSpecies: It or the data hold an element that the potential does not know.
        ConfigurationError: A temperature that is not positive.
    """
    require_positive("temperature_k", temperature_k)
    require_valid(start, place="start structure")
    subject = validated if isinstance(validated, Subject) else Subject.of(validated, name=name)
    config = config or ValidateConfig()
    _require_known(subject, start)
    for structure in data:
        _require_species(subject, structure.atoms, structure.place)
    case = Case(subject, start, temperature_k, config, data, reference, clock=Clock(0, quiet=True))
    total = sum(check.evaluations(case) for check in checks)
    case = replace(case, clock=Clock(total, quiet=quiet))
    results = tuple(result for check in checks for result in _made(check, case))
    return Validation(
        passed=all(result.passed is not False for result in results),
        subject=subject.name,
        start=start.get_chemical_formula(),
        temperature_k=temperature_k,
        false_alarms=config.limits.false_alarms,
        checks=results,
    )


def _made(check: Check, case: Case) -> Sequence[CheckResult]:
    """What a check finds; where the potential breaks down under it, that."""
    try:
        return check.run(case)
    except AdiabatError as error:
        return [CheckResult(check.name, False, None, None, "", f"broke off: {error.what}")]


def _require_known(subject: Subject, start: Atoms) -> None:
    if len(start) < 2:
        raise StructureError(
            "holds one atom",
            place="start structure",
            rule="a structure to validate with has two atoms or more",
            mend="give one as it will be simulated",
        )
    _require_species(subject, start, "start structure")


def _require_species(subject: Subject, atoms: Atoms, place: str) -> None:
    if subject.potential is None:
        return
    unknown = sorted(set(atoms.numbers.tolist()) - set(subject.potential.species))
    if unknown:
        raise UnknownSpecies(
            f"holds {', '.join(chemical_symbols[number] for number in unknown)}",
            place=place,
            rule=f"this potential knows {', '.join(chemical_symbols[number] for number in subject.potential.species)}",
            mend="give a structure of these",
        )


def _short(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"

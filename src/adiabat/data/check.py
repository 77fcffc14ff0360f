"""check: describe a data set and name what is wrong with it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from adiabat.data.checks import atoms, duplicates, forces, geometry, labels, outliers
from adiabat.data.describe import Description, describe_survey
from adiabat.data.findings import KNOWN_FINDINGS, Finding, require_found
from adiabat.data.survey import Survey, take_survey
from adiabat.results import Result
from adiabat.system import Labelled

CHECKS: tuple[Callable[[Survey], list[Finding]], ...] = (
    labels.no_labels,
    labels.mixed_labels,
    labels.unread_labels,
    labels.zero_stress,
    labels.constant_energy,
    geometry.close_atoms,
    geometry.distant_forces,
    duplicates.duplicates,
    atoms.isolated_atom_energies,
    atoms.isolated_atom_forces,
    atoms.unnamed_isolated_atoms,
    forces.zero_forces,
    forces.net_force,
    outliers.energy_outliers,
    outliers.force_outliers,
    outliers.stress_outliers,
)


@dataclass(frozen=True)
class CheckResult(Result):
    """What a data set holds and what is wrong with it.

    Attributes:
        description: Counts and ranges.
        findings: Errors first.
        accepted: Names of findings that the user knows and wants.
    """

    description: Description
    findings: tuple[Finding, ...]
    accepted: tuple[str, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found but what is accepted."""
        return all(finding.name in self.accepted for finding in self.findings)

    def including(self, findings: Sequence[Finding]) -> Self:
        """The same with further findings."""
        return replace(self, findings=_errors_first([*self.findings, *findings]))

    def accepting(self, names: Sequence[str], *, known: Sequence[str] = KNOWN_FINDINGS) -> Self:
        """The same with findings accepted; raises ConfigurationError as `require_sound`."""
        require_found(self.findings, names, known=known)
        return replace(self, accepted=(*self.accepted, *names))

    def to_dict(self) -> dict[str, Any]:
        """As JSON values, with ``clean``."""
        return super().to_dict() | {"clean": self.is_clean}


def check(
    structures: Sequence[Labelled], *, isolated_atoms_ev: Mapping[str, float] | None = None, quiet: bool = False
) -> CheckResult:
    """Describe labelled structures and name what is wrong with them.

    Args:
        structures: As `read` gives them.
        isolated_atoms_ev: eV by chemical symbol, for species of which the data hold no isolated atom.
        quiet: Show no progress.

    Raises:
        DataError: No structure, or no energy for one of the species.
        StructureError: Positions or a cell that are not finite, or a periodic cell without volume.
        ConfigurationError: `isolated_atoms_ev` does not fit the data.
    """
    survey = take_survey(structures, isolated_atoms_ev, quiet=quiet)
    findings = [finding for run_check in CHECKS for finding in run_check(survey)]
    return CheckResult(describe_survey(survey), _errors_first(findings))


def _errors_first(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda finding: finding.severity != "error"))

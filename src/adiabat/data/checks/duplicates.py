"""Checks for structures that are there more than once."""

import numpy as np

from adiabat.data.findings import Finding
from adiabat.data.same import same_structures
from adiabat.data.survey import Survey
from adiabat.system import Labels
from adiabat.typing import IntArray
from adiabat.units import GPA_PER_EV_PER_CUBIC_ANGSTROM

SAME_ENERGY_EV = 1e-3
"""Per atom: converged calculations of one structure agree to this."""
SAME_FORCE = 0.02
"""eV/Å, any component."""
SAME_STRESS_GPA = 0.2


def duplicates(survey: Survey) -> list[Finding]:
    """Structures that are the same: an error where their labels differ, else a warning."""
    same, conflicting = [], []
    for (first, _), *others in same_structures(survey.structures, survey.distances):
        for other, match in others:
            difference = _difference(survey, first, other, match)
            place = _pair(*survey.places(sorted((first, other))))
            if difference:
                conflicting.append(f"{place} ({difference})")
            else:
                same.append(place)
    findings = []
    if conflicting:
        findings.append(
            Finding(
                "conflicting-duplicates",
                "error",
                f"{len(conflicting)} of {len(survey.structures)} structures repeat an earlier one with other labels",
                tuple(conflicting),
                f"one structure has one set of labels: to {SAME_ENERGY_EV * 1e3:g} meV/atom, {SAME_FORCE:g} eV/Å, "
                f"{SAME_STRESS_GPA:g} GPa",
                "keep the label of the settings that the rest of the data have, and remove the other",
            )
        )
    if same:
        findings.append(
            Finding(
                "duplicate-structures",
                "warning",
                f"{len(same)} of {len(survey.structures)} structures repeat an earlier one with the same labels",
                tuple(same),
                "a structure is in the data once: a copy doubles its weight, and may stand on both sides of a split",
                "remove the copies",
            )
        )
    return findings


def _pair(first: str, second: str) -> str:
    """The places of two structures; the file once, where it is the same."""
    file, _, _ = first.rpartition(", ")
    return f"{first} = {second.removeprefix(f'{file}, ')}"


def _difference(survey: Survey, first: int, other: int, match: IntArray) -> str:
    """What differs between the labels of two structures that are the same; empty where nothing does."""
    a, b = survey.structures[first].labels, survey.structures[other].labels
    said = []
    for name, difference, tolerance, unit in _differences(a, b, match):
        if difference > tolerance:
            said.append(f"{name} by {difference:.3g} {unit}")
    return f"they differ in {', '.join(said)}" if said else ""


def _differences(a: Labels, b: Labels, match: IntArray) -> list[tuple[str, float, float, str]]:
    found = []
    if a.energy is not None and b.energy is not None:
        found.append(("energy", abs(a.energy - b.energy) * 1e3 / len(match), SAME_ENERGY_EV * 1e3, "meV/atom"))
    if a.forces is not None and b.forces is not None:
        found.append(("forces", float(np.abs(a.forces - b.forces[match]).max()), SAME_FORCE, "eV/Å"))
    if a.stress is not None and b.stress is not None:
        difference = float(np.abs(a.stress - b.stress).max()) * GPA_PER_EV_PER_CUBIC_ANGSTROM
        found.append(("stress", difference, SAME_STRESS_GPA, "GPa"))
    return found

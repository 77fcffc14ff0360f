"""Whether a potential knows the structures that it has led to."""

from collections.abc import Sequence

from ase import Atoms

from adiabat.errors import PropertyUnavailable
from adiabat.evaluation import trust
from adiabat.system import Labelled
from adiabat.validation.check import Case, CheckResult

MOST_NOT_TRUSTED = 0.25
"""Share of the frames of a hot run: more, and it will leave what it was trained for."""


def trusted_frames(case: Case, frames: Sequence[Atoms]) -> CheckResult:
    """The share of the frames of the hot run on which the potential is not to be trusted, by its own error bars."""
    name, potential = "hot run is known to the potential", case.subject.potential
    if potential is None or not potential.has_uncertainty:
        return CheckResult(name, None, None, None, "", "not made: it does not know how sure it is")
    try:
        judged = trust(potential, [Labelled(atoms, place=f"frame {i}") for i, atoms in enumerate(frames)], quiet=True)
    except PropertyUnavailable as error:
        return CheckResult(name, None, None, None, "", f"not made: {error.what}")
    share = judged.not_trusted / len(frames)
    doubts = [one.reason for one in judged.structures if not one.trusted]
    reason = f"{judged.not_trusted} of {len(frames)} frames are not to be trusted{': ' + doubts[-1] if doubts else ''}."
    return CheckResult(name, share <= MOST_NOT_TRUSTED, share, MOST_NOT_TRUSTED, "", reason)

"""Finding: something in a data set that a user should know of before training on it."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from adiabat.errors import ConfigurationError, DataError

KNOWN_FINDINGS = (
    "close-atoms",
    "conflicting-duplicates",
    "constant-energy",
    "distant-forces",
    "duplicate-structures",
    "energy-outliers",
    "force-outliers",
    "isolated-atom-energy",
    "isolated-atom-forces",
    "mixed-labels",
    "net-force",
    "no-labels",
    "stress-outliers",
    "unnamed-isolated-atom",
    "unread-labels",
    "zero-forces",
    "zero-stress",
)
"""The names that this layer gives; they are stable, because users write them into scripts."""
PLACES_SHOWN = 5


@dataclass(frozen=True)
class Finding:
    """Something wrong ("error") or suspicious ("warning") in a data set.

    Attributes:
        name: A stable kebab-case identifier; a user who knows and wants it accepts it by this name.
        severity: An error is refused in training unless accepted.
        what: What was found, with the value.
        places: Where: one text per structure, with its own value where there is one.
        rule: The rule that is broken.
        mend: What to do about it.
    """

    name: str
    severity: Literal["error", "warning"]
    what: str
    places: tuple[str, ...]
    rule: str
    mend: str

    @property
    def where(self) -> str:
        """The first places, and how many more there are."""
        shown = "; ".join(self.places[:PLACES_SHOWN])
        more = len(self.places) - PLACES_SHOWN
        return f"{shown}; and {more} more" if more > 0 else shown


def require_sound(
    findings: Sequence[Finding], accept: Iterable[str] = (), *, known: Sequence[str] = KNOWN_FINDINGS
) -> None:
    """Refuse data with errors that are not accepted.

    Args:
        findings: What was found.
        accept: Names of findings that the user knows and wants.
        known: Names that exist, for the nearest one to a name that does not.

    Raises:
        DataError: An error is not accepted.
        ConfigurationError: An accepted name is unknown, or was not found: an option without effect.
    """
    accept = tuple(accept)
    require_found(findings, accept, known=known)
    refused = [finding for finding in findings if finding.severity == "error" and finding.name not in accept]
    if not refused:
        return
    first, names = refused[0], [finding.name for finding in refused]
    others = f" (found besides: {', '.join(names[1:])})" if len(names) > 1 else ""
    raise DataError(
        f"{first.name}: {first.what}{others}",
        place=first.where,
        rule=first.rule,
        mend=f"{first.mend}; or accept what you know and want: {' '.join(f'--accept {name}' for name in names)}",
    )


def require_found(findings: Sequence[Finding], accept: Sequence[str], *, known: Sequence[str] = KNOWN_FINDINGS) -> None:
    """Refuse to accept what was not found; raises ConfigurationError as `require_sound`."""
    found = sorted({finding.name for finding in findings})
    for name in accept:
        if name in found:
            continue
        nearest = difflib.get_close_matches(name, [*found, *(other for other in known if other not in found)], n=1)
        if name in known:
            what = f"'{name}' was not found in these data"
            mend = f"found: {', '.join(found)}" if found else "take the option out: nothing was found"
        else:
            what = f"there is no finding named '{name}'"
            mend = f"did you mean '{nearest[0]}'?" if nearest else f"names: {', '.join(sorted({*found, *known}))}"
        raise ConfigurationError(what, place="--accept", rule="an option has an effect", mend=mend)

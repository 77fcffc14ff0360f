"""The committees whose spread is the uncertainty of a potential, one for each part of it."""

from adiabat.errors import ConfigurationError
from adiabat.potential import Committee, Potential
from adiabat.potential.committee import own_committee
from adiabat.uncertainty import Part

PARTS: tuple[Part, ...] = ("parametric", "misfit")
MEMBERS = 16
"""Drawn for each part where nothing else is asked for: a standard deviation is then known to 18 %."""
FEWEST_MEMBERS = 4
"""From fewer the standard deviation is known to no more than a third of itself."""


def committees_by_part(potential: Potential, members: int | None, seed: int | None) -> dict[str, Committee]:
    """Members by part of the uncertainty; those of a committee are its own, and stand under "committee".

    Args:
        potential: With a posterior; or a `Committee`.
        members: To be drawn for each part; None for 16.
        seed: By which they are drawn; None for 0.

    Raises:
        ConfigurationError: Too few members; members or a seed for a `Committee`.
        PropertyUnavailable: The potential has no posterior.
    """
    own = own_committee(potential)
    if own is not None:
        _require_own(members, seed)
        return {"committee": own}
    size = MEMBERS if members is None else members
    _require_enough(size)
    return {part: potential.committee(part, size=size, seed=seed or 0) for part in PARTS}


def require_members_known(potential: Potential, members: int | None) -> None:
    """Refuse a number of members for a potential that has none.

    Raises:
        ConfigurationError: It does not know how sure it is.
    """
    if members is not None and not potential.has_uncertainty:
        raise ConfigurationError(
            f"{members} members of a potential that does not know how sure it is",
            place="members of a committee",
            rule="members are drawn from what a training left open",
            mend="leave them out",
        )


def _require_enough(members: int) -> None:
    if members < FEWEST_MEMBERS:
        raise ConfigurationError(
            f"{members} members were asked for",
            place="members of a committee",
            rule=f"a standard deviation takes {FEWEST_MEMBERS} members or more",
            mend=f"ask for {MEMBERS}",
        )


def _require_own(members: int | None, seed: int | None) -> None:
    if members is not None or seed is not None:
        raise ConfigurationError(
            "members or a seed were given for a committee",
            place="members of a committee",
            rule="a committee has its own members, and nothing is drawn",
            mend="leave them out",
        )

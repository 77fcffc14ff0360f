"""Settings of a code: all of them have defaults, and one that does not exist is refused with the nearest that does."""

import difflib
from typing import Any


def completed(settings: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """Settings in full.

    Raises:
        ValueError: One is unknown.
    """
    for name in settings:
        if name not in defaults:
            nearest = difflib.get_close_matches(name, defaults, n=1)
            hint = f"did you mean '{nearest[0]}'?" if nearest else f"settings: {', '.join(defaults)}"
            raise ValueError(f"there is no setting '{name}'; {hint}")
    return defaults | settings

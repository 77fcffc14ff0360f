"""Values of a file that look like labels: named where a label is missing, never read instead of it."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

LabelKind = Literal["energy", "forces", "stress"]
LABEL_KINDS: tuple[LabelKind, ...] = ("energy", "forces", "stress")
FIRST = ("free_energy", "energy", "forces", "stress", "virial")
"""Names that come before others when one has to be suggested (free_energy is what forces derive from)."""
OTHER_ENERGIES = (
    *("binding", "interaction", "kinetic", "formation", "cohesive", "atomization", "correction"),
    *("dispersion", "zero", "gap", "hull", "error", "per_atom", "std"),
)
"""What makes an energy in a name another quantity than that of the structure."""


def lookalikes(values: Mapping[str, Any], kind: LabelKind) -> tuple[str, ...]:
    """The names of the values that could be labels of this kind by their name and shape, the likeliest first.

    A short name says little beside what it is of, and a long one more: REF_energy, REF_energy_extrapolated.

    Args:
        values: Named values of one structure (`named_values`).
        kind: Which label is sought.
    """
    names = [name for name, value in values.items() if _fits(name.lower(), value, kind)]
    return tuple(sorted(names, key=lambda name: (FIRST.index(name) if name in FIRST else len(FIRST), len(name), name)))


def _fits(name: str, value: Any, kind: LabelKind) -> bool:
    shape, is_number = np.shape(value), np.asarray(value).dtype.kind in "if"
    if not is_number:
        return False
    match kind:
        case "energy":
            return "energy" in name and shape in ((), (1,)) and not any(other in name for other in OTHER_ENERGIES)
        case "forces":
            return "force" in name and len(shape) == 2 and shape[1] == 3
        case "stress":
            return ("stress" in name or "virial" in name) and shape in ((3, 3), (9,), (6,))

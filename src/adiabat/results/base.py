"""Result: the base of everything that adiabat computes for a person to read."""

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from adiabat.runs.atomic import atomic_write_text

IN_MEMORY: Mapping[str, bool] = {"in_memory": True}
"""``field(metadata=IN_MEMORY)``: a field that is kept beside the numbers and not written."""

EXACT: Mapping[str, bool] = {"exact": True}
"""``field(metadata=EXACT)``: a number that is chosen or counted, or says how well something was solved: it has no error bar."""


@dataclass(frozen=True)
class Result:
    """A frozen set of numbers, units in the names of its fields; what is not available is None and becomes ``null``.

    A field with the metadata `IN_MEMORY` (what plots need, and no reader of the JSON) is not written.
    """

    schema_version: ClassVar[int] = 1

    def to_dict(self) -> dict[str, Any]:
        """The result as JSON values, with the versions that made it."""
        values = {"schema_version": self.schema_version, "adiabat_version": version("adiabat")}
        return values | plain(self)

    def save(self, file: Path | str) -> None:
        """Write as JSON, whole or not at all."""
        atomic_write_text(Path(file), json.dumps(self.to_dict(), indent=1, allow_nan=False) + "\n")


def plain(value: Any) -> Any:
    """Nested dataclasses (without what they keep in memory), arrays and NumPy scalars as JSON values; numbers that are not finite become None."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        written = (field.name for field in dataclasses.fields(value) if not field.metadata.get("in_memory", False))
        return {name: plain(getattr(value, name)) for name in written}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value

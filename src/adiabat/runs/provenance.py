"""Where a result comes from: versions, machine, time."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from adiabat.runs.threads import allowed_threads


def provenance() -> dict[str, Any]:
    """Versions, machine, threads and time, as JSON values."""
    return {
        "adiabat": version("adiabat"),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in ("torch", "numpy", "ase")},
        "machine": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "threads": allowed_threads(),
    }

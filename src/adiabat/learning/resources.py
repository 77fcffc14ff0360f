"""What the machine has: memory and disk that can be used now."""

import resource
import shutil
import sys
from pathlib import Path

MEMINFO = Path("/proc/meminfo")
GROUP_LIMIT, GROUP_USE = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")
BYTES_OF_RSS = 1 if sys.platform == "darwin" else 1024


def memory_available_bytes() -> int | None:
    """That can be had without swapping, within the limit of a container; None where the system does not say."""
    found = []
    if MEMINFO.exists():
        lines = dict(line.split(":", 1) for line in MEMINFO.read_text().splitlines() if ":" in line)
        if "MemAvailable" in lines:
            found.append(1024 * int(lines["MemAvailable"].split()[0]))
    if GROUP_LIMIT.exists() and (limit := GROUP_LIMIT.read_text().strip()).isdigit():
        found.append(int(limit) - int(GROUP_USE.read_text()))
    return min(found, default=None)


def disk_free_bytes(folder: Path) -> int:
    """Where a folder is."""
    return shutil.disk_usage(folder).free


def own_memory_bytes() -> int:
    """The most that this process has held."""
    return BYTES_OF_RSS * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def largest_ended_process_bytes() -> int:
    """The most that any process that this one started has held, of those that have ended."""
    return BYTES_OF_RSS * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss

"""What every long run shares: atomic writes, progress with the time left, a clean stop, tasks on several threads, provenance."""

from adiabat.runs.atomic import atomic_path, atomic_write_bytes, atomic_write_text, require_writable
from adiabat.runs.progress import track
from adiabat.runs.provenance import provenance
from adiabat.runs.side_by_side import side_by_side
from adiabat.runs.signals import StopRequest

__all__ = [
    "StopRequest",
    "atomic_path",
    "atomic_write_bytes",
    "atomic_write_text",
    "provenance",
    "require_writable",
    "side_by_side",
    "track",
]

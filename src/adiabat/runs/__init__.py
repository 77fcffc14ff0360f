"""What every long run shares: atomic writes, progress with the time left, a clean stop, tasks on several threads, provenance."""

from adiabat.runs.atomic import atomic_path, atomic_write_bytes, atomic_write_text, require_writable
from adiabat.runs.claim import claimed
from adiabat.runs.event_file import EventFile
from adiabat.runs.live import LiveText, duration
from adiabat.runs.progress import track
from adiabat.runs.provenance import provenance
from adiabat.runs.signals import StopRequest
from adiabat.runs.threads import allowed_threads, one_thread_each, side_by_side

__all__ = [
    "EventFile",
    "LiveText",
    "StopRequest",
    "allowed_threads",
    "atomic_path",
    "atomic_write_bytes",
    "atomic_write_text",
    "claimed",
    "duration",
    "one_thread_each",
    "provenance",
    "require_writable",
    "side_by_side",
    "track",
]

"""Labelled structures: read, check, describe, split; energies of isolated atoms."""

from adiabat.data.check import CheckResult, check
from adiabat.data.config import DataConfig, ReadConfig
from adiabat.data.contact import contact_distance
from adiabat.data.demonstration import demonstration_set
from adiabat.data.describe import Description, describe
from adiabat.data.distances import Distances, measure_distances, shortest_distances
from adiabat.data.findings import KNOWN_FINDINGS, Finding, require_found, require_sound
from adiabat.data.fingerprint import fingerprint
from adiabat.data.frames import iterate_frames
from adiabat.data.isolated import AtomicReference, atomic_reference
from adiabat.data.keys import LabelKeys
from adiabat.data.page import page
from adiabat.data.read import read
from adiabat.data.same import repeated
from adiabat.data.split import Split, SplitConfig, split

__all__ = [
    "KNOWN_FINDINGS",
    "AtomicReference",
    "CheckResult",
    "DataConfig",
    "Description",
    "Distances",
    "Finding",
    "LabelKeys",
    "ReadConfig",
    "Split",
    "SplitConfig",
    "atomic_reference",
    "check",
    "contact_distance",
    "demonstration_set",
    "describe",
    "fingerprint",
    "iterate_frames",
    "measure_distances",
    "page",
    "read",
    "repeated",
    "require_found",
    "require_sound",
    "shortest_distances",
    "split",
]

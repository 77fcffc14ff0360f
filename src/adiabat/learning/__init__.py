"""Labels by a quantum-mechanical code, and the loop that asks for those that teach."""

from adiabat.learning.answer import Answer, Code
from adiabat.learning.config import LearnConfig
from adiabat.learning.doctor import Doctor, Examination, examine, known_oracles
from adiabat.learning.estimate import CostEstimate
from adiabat.learning.label import LabelSummary, label
from adiabat.learning.labelled_file import write_labelled
from adiabat.learning.learn import Generation, LearnSummary, learn
from adiabat.learning.live import LiveProgress, live_page
from adiabat.learning.observer import Observer
from adiabat.learning.oracle import KNOWN, Oracle
from adiabat.learning.page import ENDS, learning_page
from adiabat.learning.process import OracleProcess
from adiabat.learning.progress import Progress, read_progress
from adiabat.learning.store import LabelStore
from adiabat.learning.validated import read_verdicts
from adiabat.learning.workers import Workers

__all__ = [
    "ENDS",
    "KNOWN",
    "Answer",
    "Code",
    "CostEstimate",
    "Doctor",
    "Examination",
    "Generation",
    "LabelStore",
    "LabelSummary",
    "LearnConfig",
    "LearnSummary",
    "LiveProgress",
    "Observer",
    "Oracle",
    "OracleProcess",
    "Progress",
    "Workers",
    "examine",
    "known_oracles",
    "label",
    "learn",
    "learning_page",
    "live_page",
    "read_progress",
    "read_verdicts",
    "write_labelled",
]

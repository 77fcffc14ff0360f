"""Labels by a quantum-mechanical code, and the loop that asks for those that teach."""

from adiabat.learning.answer import Answer, Code
from adiabat.learning.config import LearnConfig
from adiabat.learning.doctor import Doctor, Examination, examine, known_oracles
from adiabat.learning.label import LabelSummary, label
from adiabat.learning.labelled_file import write_labelled
from adiabat.learning.learn import Generation, LearnSummary, learn
from adiabat.learning.oracle import KNOWN, Oracle
from adiabat.learning.process import OracleProcess
from adiabat.learning.store import LabelStore
from adiabat.learning.workers import Workers

__all__ = [
    "KNOWN",
    "Answer",
    "Code",
    "Doctor",
    "Examination",
    "Generation",
    "LabelStore",
    "LabelSummary",
    "LearnConfig",
    "LearnSummary",
    "Oracle",
    "OracleProcess",
    "Workers",
    "examine",
    "known_oracles",
    "label",
    "learn",
    "write_labelled",
]

"""Labels by a quantum-mechanical code: oracles in processes of their own, the label store with its ledger, the gate."""

from adiabat.learning.answer import Answer, Code
from adiabat.learning.doctor import Doctor, Examination, examine, known_oracles
from adiabat.learning.label import LabelSummary, label
from adiabat.learning.labelled_file import write_labelled
from adiabat.learning.oracle import KNOWN, Oracle
from adiabat.learning.process import OracleProcess
from adiabat.learning.store import LabelStore

__all__ = [
    "KNOWN",
    "Answer",
    "Code",
    "Doctor",
    "Examination",
    "LabelStore",
    "LabelSummary",
    "Oracle",
    "OracleProcess",
    "examine",
    "known_oracles",
    "label",
    "write_labelled",
]

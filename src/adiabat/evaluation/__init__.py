"""A potential against labelled structures: errors, how sure they are, and where they are."""

from adiabat.evaluation.compare import Compared, Comparison, LeftOut, compare
from adiabat.evaluation.distance import Distance, training_distance
from adiabat.evaluation.evaluate import Evaluation, evaluate
from adiabat.evaluation.learning_curve import LearningCurve
from adiabat.evaluation.page import error_sentences, evaluation_page
from adiabat.evaluation.summary import ErrorSummary, summarize
from adiabat.evaluation.tables import error_table

__all__ = [
    "Compared",
    "Comparison",
    "Distance",
    "ErrorSummary",
    "Evaluation",
    "LearningCurve",
    "LeftOut",
    "compare",
    "error_sentences",
    "error_table",
    "evaluate",
    "evaluation_page",
    "summarize",
    "training_distance",
]

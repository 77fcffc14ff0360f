"""A potential against labelled structures: errors, how sure they are, where they are, and whether it knows them."""

from adiabat.evaluation.calibration import CalibrationSummary, KindCalibration
from adiabat.evaluation.calibration_words import calibration_sentences, calibration_table
from adiabat.evaluation.compare import Compared, Comparison, LeftOut, compare
from adiabat.evaluation.distance import Distance, training_distance
from adiabat.evaluation.evaluate import Evaluation, evaluate
from adiabat.evaluation.learning_curve import LearningCurve
from adiabat.evaluation.page import error_sentences, evaluation_page
from adiabat.evaluation.predicted import require_uncertainty
from adiabat.evaluation.summary import ErrorSummary, summarize
from adiabat.evaluation.tables import error_table
from adiabat.evaluation.trust import StructureTrust, Trust, Unlabelled, trust
from adiabat.evaluation.trust_words import trust_page, trust_sentences, trust_tables

__all__ = [
    "CalibrationSummary",
    "Compared",
    "Comparison",
    "Distance",
    "ErrorSummary",
    "Evaluation",
    "KindCalibration",
    "LearningCurve",
    "LeftOut",
    "StructureTrust",
    "Trust",
    "Unlabelled",
    "calibration_sentences",
    "calibration_table",
    "compare",
    "error_sentences",
    "error_table",
    "evaluate",
    "evaluation_page",
    "require_uncertainty",
    "summarize",
    "training_distance",
    "trust",
    "trust_page",
    "trust_sentences",
    "trust_tables",
]

"""Posteriors, their spread and calibration, detectors of extrapolation, choice of structures.

Functions of features, rows and residuals, never of a potential.
"""

from adiabat.uncertainty.calibration import Calibration, LeftOutRows, calibrate
from adiabat.uncertainty.committee_spread import CommitteeSpread
from adiabat.uncertainty.covariance import Covariance
from adiabat.uncertainty.detector import Detector, Environments, cross_fitted
from adiabat.uncertainty.extrapolation import Extrapolation, Verdict
from adiabat.uncertainty.feature_statistics import FeatureStatistics
from adiabat.uncertainty.leverage import LeverageDetector
from adiabat.uncertainty.linear import LinearUncertainty
from adiabat.uncertainty.mahalanobis import MahalanobisDetector
from adiabat.uncertainty.maxvol import ActiveSet, MaxVolDetector
from adiabat.uncertainty.nearest import NearestDetector
from adiabat.uncertainty.posterior import LinearPosterior
from adiabat.uncertainty.projection import Projection, project
from adiabat.uncertainty.selection import Selection, choose_d_optimal, choose_farthest, choose_farthest_structures
from adiabat.uncertainty.spread import Part, Spread
from adiabat.uncertainty.thresholds import Thresholds, distinct

__all__ = [
    "ActiveSet",
    "Calibration",
    "CommitteeSpread",
    "Covariance",
    "Detector",
    "Environments",
    "Extrapolation",
    "FeatureStatistics",
    "LeftOutRows",
    "LeverageDetector",
    "LinearPosterior",
    "LinearUncertainty",
    "MahalanobisDetector",
    "MaxVolDetector",
    "NearestDetector",
    "Part",
    "Projection",
    "Selection",
    "Spread",
    "Thresholds",
    "Verdict",
    "calibrate",
    "choose_d_optimal",
    "choose_farthest",
    "choose_farthest_structures",
    "cross_fitted",
    "distinct",
    "project",
]

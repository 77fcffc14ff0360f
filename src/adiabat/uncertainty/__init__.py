"""Posteriors, misfit and its calibration, statistics of features: functions of features, rows and residuals, never of a potential."""

from adiabat.uncertainty.calibration import Calibration, LeftOutRows, calibrate
from adiabat.uncertainty.covariance import Covariance
from adiabat.uncertainty.feature_statistics import FeatureStatistics
from adiabat.uncertainty.linear import LinearUncertainty
from adiabat.uncertainty.misfit import Misfit, Part
from adiabat.uncertainty.posterior import LinearPosterior

__all__ = [
    "Calibration",
    "Covariance",
    "FeatureStatistics",
    "LeftOutRows",
    "LinearPosterior",
    "LinearUncertainty",
    "Misfit",
    "Part",
    "calibrate",
]

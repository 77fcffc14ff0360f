"""Posteriors and statistics of features: functions of features, rows and residuals, never of a potential."""

from adiabat.uncertainty.covariance import Covariance
from adiabat.uncertainty.feature_statistics import FeatureStatistics
from adiabat.uncertainty.posterior import LinearPosterior

__all__ = ["Covariance", "FeatureStatistics", "LinearPosterior"]

"""The loss as a landscape: whether a training ended in a minimum or on a saddle, and how sharp that is."""

from adiabat.training.landscape.survey import Landscape, LandscapeConfig, survey_landscape

__all__ = ["Landscape", "LandscapeConfig", "survey_landscape"]

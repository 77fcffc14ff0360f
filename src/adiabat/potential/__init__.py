"""Potential and Prediction, derivatives, the file, the bridge to ASE."""

from adiabat.potential.potential import QUANTITIES, Potential
from adiabat.potential.prediction import Prediction

__all__ = ["QUANTITIES", "Potential", "Prediction"]

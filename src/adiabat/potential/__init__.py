"""Potential and Prediction, derivatives, the file, the bridge to ASE."""

from adiabat.potential.committee import Committee
from adiabat.potential.description import PotentialDescription, describe_potential
from adiabat.potential.file import fingerprint, load_potential, save_potential
from adiabat.potential.outside import FromASE, named_calculator
from adiabat.potential.potential import QUANTITIES, Potential
from adiabat.potential.prediction import Prediction

__all__ = [
    "QUANTITIES",
    "Committee",
    "FromASE",
    "Potential",
    "PotentialDescription",
    "Prediction",
    "describe_potential",
    "fingerprint",
    "load_potential",
    "named_calculator",
    "save_potential",
]

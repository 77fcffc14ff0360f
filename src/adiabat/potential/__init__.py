"""Potential and Prediction, derivatives, the file, the bridge to ASE."""

from adiabat.potential.committee import Committee
from adiabat.potential.description import PotentialDescription, describe_potential
from adiabat.potential.file import fingerprint, load_potential, save_potential
from adiabat.potential.potential import QUANTITIES, Potential
from adiabat.potential.prediction import Prediction

__all__ = [
    "QUANTITIES",
    "Committee",
    "Potential",
    "PotentialDescription",
    "Prediction",
    "describe_potential",
    "fingerprint",
    "load_potential",
    "save_potential",
]

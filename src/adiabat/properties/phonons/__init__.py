"""Lattice vibrations, through phonopy; their scattering, through phono3py."""

from adiabat.properties.phonons.charges import EffectiveCharges
from adiabat.properties.phonons.conductivity import Conductivity, ConductivitySetup, conductivity
from adiabat.properties.phonons.gruneisen import Gruneisen, gruneisen
from adiabat.properties.phonons.phonons import Phonons, phonons
from adiabat.properties.phonons.quasi_harmonic import QuasiHarmonic, quasi_harmonic
from adiabat.properties.phonons.setup import BandPath, PhononSetup

__all__ = [
    "BandPath",
    "Conductivity",
    "ConductivitySetup",
    "EffectiveCharges",
    "Gruneisen",
    "PhononSetup",
    "Phonons",
    "QuasiHarmonic",
    "conductivity",
    "gruneisen",
    "phonons",
    "quasi_harmonic",
]

"""Lattice vibrations, through phonopy."""

from adiabat.properties.phonons.phonons import Phonons, phonons
from adiabat.properties.phonons.setup import BandPath, PhononSetup

__all__ = ["BandPath", "PhononSetup", "Phonons", "phonons"]

"""Coherent boundaries between two grains of a crystal: their structure and energy, and what segregates to them."""

from adiabat.properties.boundaries.bicrystal import Bicrystal, coincidence
from adiabat.properties.boundaries.energy import GrainBoundary, grain_boundary
from adiabat.properties.boundaries.segregation import Segregation, segregation

__all__ = ["Bicrystal", "GrainBoundary", "Segregation", "coincidence", "grain_boundary", "segregation"]

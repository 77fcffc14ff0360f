"""Paths between minima: nudged elastic bands, saddles and rates."""

from adiabat.properties.paths.ends import Ends, path_ends
from adiabat.properties.paths.members import MemberPaths, measured_path
from adiabat.properties.paths.neb import BandSettings, MinimumEnergyPath, minimum_energy_path
from adiabat.properties.paths.rates import eckart, wigner

__all__ = [
    "BandSettings",
    "Ends",
    "MemberPaths",
    "MinimumEnergyPath",
    "eckart",
    "measured_path",
    "minimum_energy_path",
    "path_ends",
    "wigner",
]

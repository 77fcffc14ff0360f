"""Networks on atom-centred symmetry functions."""

from adiabat.models.symmetry.functions import SymmetryFunctions
from adiabat.models.symmetry.network import SymmetryNetwork

__all__ = ["SymmetryFunctions", "SymmetryNetwork"]

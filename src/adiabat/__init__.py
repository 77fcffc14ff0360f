"""adiabat: machine-learned interatomic potentials that know where they can be trusted."""

from adiabat.potential import Potential, Prediction
from adiabat.potential import load_potential as load

__all__ = ["Potential", "Prediction", "load"]

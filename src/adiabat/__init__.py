"""adiabat: machine-learned interatomic potentials that know where they can be trusted."""

from adiabat.potential import Potential, Prediction

__all__ = ["Potential", "Prediction"]

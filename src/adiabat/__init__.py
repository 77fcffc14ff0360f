"""adiabat: machine-learned interatomic potentials that know where they can be trusted."""

from adiabat.data import check, read
from adiabat.evaluation import evaluate
from adiabat.potential import Potential, Prediction
from adiabat.potential import load_potential as load
from adiabat.training import TrainConfig, train

__all__ = ["Potential", "Prediction", "TrainConfig", "check", "evaluate", "load", "read", "train"]

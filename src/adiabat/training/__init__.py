"""From labelled structures to a potential: least squares, its hyperparameters, its checkpoint."""

from adiabat.training.coherence import check_coherence
from adiabat.training.config import TrainConfig
from adiabat.training.train import train

__all__ = ["TrainConfig", "check_coherence", "train"]

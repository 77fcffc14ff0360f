"""From labelled structures to a potential: least squares, or gradients."""

from adiabat.training.checkpoint import TrainingCheckpoint
from adiabat.training.coherence import check_coherence
from adiabat.training.config import BY_GRADIENTS, TrainConfig
from adiabat.training.gradient.history import TrainingHistory
from adiabat.training.learning_curve import measure_learning_curve
from adiabat.training.stored import stored_basis, stored_configuration, training_data
from adiabat.training.summary import training_sentences
from adiabat.training.train import train

__all__ = [
    "BY_GRADIENTS",
    "TrainConfig",
    "TrainingCheckpoint",
    "TrainingHistory",
    "check_coherence",
    "measure_learning_curve",
    "stored_basis",
    "stored_configuration",
    "train",
    "training_data",
    "training_sentences",
]

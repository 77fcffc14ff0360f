"""What changes with the progress of a training: learning rate and weights."""

import math

from adiabat.training.gradient.config import GradientConfig, Stage


def rate_factor(progress: float, config: GradientConfig) -> float:
    """On the learning rate: rises linearly while warming up, then falls to zero as half a cosine.

    Args:
        progress: Fraction of the training, 0 to 1.
        config: How long warming up takes.
    """
    if progress < config.warmup:
        return progress / config.warmup
    return 0.5 * (1 + math.cos(math.pi * (progress - config.warmup) / (1 - config.warmup)))


def stage_at(progress: float, config: GradientConfig) -> Stage:
    """The last stage that has begun."""
    return [stage for stage in config.stages if stage.start <= progress][-1]

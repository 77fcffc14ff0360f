"""The gradient flow: the way straight downhill, along which the loss never rises."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from adiabat.runs import track
from adiabat.training.landscape.surface import LossSurface

LONGER, SHORTER = 1.5, 0.4
SHORTEST = 1e-12
"""Of the first step: below it rounding decides whether a loss falls."""


@dataclass(frozen=True, eq=False)
class Flow:
    """Points of dθ/dt = -∂L/∂θ.

    Attributes:
        times: (steps + 1,) t, from 0.
        losses: (steps + 1,), never rising.
        slopes: (steps + 1,) |∂L/∂θ|.
        change: (parameters,) where it has come to.
    """

    times: list[float]
    losses: list[float]
    slopes: list[float]
    change: Tensor


def gradient_flow(surface: LossSurface, *, curvature: float, steps: int, quiet: bool = False) -> Flow:
    """Explicit steps, each taken only if it does not raise the loss; the next one is longer, or the same one shorter.

    Args:
        surface: What is flowed on, from its origin.
        curvature: The largest: the first step is its inverse.
        steps: Evaluations of the gradient, those of steps that were not taken among them.
        quiet: Show no progress.
    """
    change = torch.zeros_like(surface.origin)
    loss, gradient = surface.at(change)
    flow = Flow([0.0], [loss], [float(gradient.norm())], change)
    first = step = 1 / curvature

    def evaluations() -> Iterator[None]:
        nonlocal change, loss, gradient, step, flow
        for _ in range(steps):
            if step < SHORTEST * first or not bool(gradient.any()):
                return
            tried = change - step * gradient
            there, slope = surface.at(tried)
            if there <= loss:
                change, loss, gradient = tried, there, slope
                times = [*flow.times, flow.times[-1] + step]
                flow = Flow(times, [*flow.losses, loss], [*flow.slopes, float(gradient.norm())], change)
                step *= LONGER
            else:
                step *= SHORTER
            yield

    for _ in track(evaluations(), "flowing downhill", total=steps, quiet=quiet):
        pass
    return flow

"""The exponential moving average of parameters: what a noisy descent circles around."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor


class Average:
    """a <- d a + (1 - d) p after each step, with a smaller d in the beginning so that the start is soon forgotten.

    Args:
        parameters: What is averaged.
        decay: d.
    """

    def __init__(self, parameters: Sequence[Tensor], decay: float) -> None:
        self._parameters, self._decay = parameters, decay
        self.values = [parameter.detach().clone() for parameter in parameters]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the parameters after a step, counted from 1."""
        decay = min(self._decay, (1 + step) / (10 + step))
        for value, parameter in zip(self.values, self._parameters, strict=True):
            value.lerp_(parameter, 1 - decay)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """The parameters are the averages meanwhile."""
        kept = [parameter.detach().clone() for parameter in self._parameters]
        put(self.values, self._parameters)
        try:
            yield
        finally:
            put(kept, self._parameters)


@torch.no_grad()
def put(values: Sequence[Tensor], parameters: Sequence[Tensor]) -> None:
    """Copy values into parameters."""
    for value, parameter in zip(values, parameters, strict=True):
        parameter.copy_(value)

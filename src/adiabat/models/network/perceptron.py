"""A multilayer perceptron for one element: values, and their derivatives by the inputs."""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn


class Perceptron(nn.Module):
    """e = u · x + w · φ(W_L ... φ(W_1 x + b_1) ... + b_L), with φ(a) = a / (1 + exp(-a)), infinitely often differentiable.

    W are drawn with the variance 1 / inputs. u and w are zero, so that a perceptron adds nothing before it is trained; or w
    is drawn likewise.

    Args:
        inputs: Length of x.
        hidden: Widths of the layers, one or more.
        silent: Whether w begins at zero.
        generator: Of the first weights.
    """

    def __init__(self, inputs: int, hidden: Sequence[int], *, silent: bool, generator: torch.Generator) -> None:
        super().__init__()
        widths = [inputs, *hidden]
        self.weights = nn.ParameterList(_drawn((out, into), generator) for into, out in pairwise(widths))
        self.biases = nn.ParameterList(torch.zeros(out, dtype=torch.float64) for out in hidden)
        last = _drawn((1, hidden[-1]), generator)[0]
        self.readout = nn.Parameter(torch.zeros_like(last) if silent else last)
        self.direct = nn.Parameter(torch.zeros(inputs, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        """(n,) for inputs (n, inputs)."""
        h = x
        for weight, bias in zip(self.weights, self.biases, strict=True):
            h = nn.functional.silu(h @ weight.T + bias)
        return x @ self.direct + h @ self.readout

    def with_slopes(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(n,) values and (n, inputs) their derivatives, themselves differentiable in the parameters."""
        h, slopes = x, []
        for weight, bias in zip(self.weights, self.biases, strict=True):
            a = h @ weight.T + bias
            gate = torch.sigmoid(a)
            h = a * gate
            slopes.append(gate + h * (1 - gate))
        back = self.readout * slopes[-1]
        for weight, slope in zip(reversed(self.weights[1:]), reversed(slopes[:-1]), strict=True):
            back = (back @ weight) * slope
        return x @ self.direct + h @ self.readout, self.direct + back @ self.weights[0]

    def last_layer(self, x: Tensor) -> Tensor:
        """(n, inputs + last hidden): what u and w weigh."""
        h = x
        for weight, bias in zip(self.weights, self.biases, strict=True):
            h = nn.functional.silu(h @ weight.T + bias)
        return torch.cat([x, h], dim=1)

    def last_hidden_slopes(self, x: Tensor) -> Tensor:
        """(n, last hidden, inputs): derivatives of the last hidden layer by x."""
        h, found = x, torch.eye(x.shape[1], dtype=x.dtype).expand(len(x), -1, -1)
        for weight, bias in zip(self.weights, self.biases, strict=True):
            a = h @ weight.T + bias
            gate = torch.sigmoid(a)
            h = a * gate
            found = (gate + h * (1 - gate))[:, :, None] * (weight @ found)
        return found


def _drawn(shape: tuple[int, int], generator: torch.Generator) -> Tensor:
    return torch.randn(shape, generator=generator, dtype=torch.float64) / math.sqrt(shape[1])

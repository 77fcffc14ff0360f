"""survey_landscape: what the loss looks like around the parameters of a trained network."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from adiabat.config import Config
from adiabat.errors import ConfigurationError
from adiabat.potential import Potential
from adiabat.results import Figure, Line, Result
from adiabat.runs import one_thread_each, track
from adiabat.system import Labelled, TrainableModel
from adiabat.training.gradient.targets import make_targets
from adiabat.training.landscape.flow import Flow, gradient_flow
from adiabat.training.landscape.lanczos import Ritz, lanczos
from adiabat.training.landscape.surface import LossSurface
from adiabat.training.stored import stored_configuration

NEGLIGIBLE = 1e-6
"""Of the largest curvature: what is less is flat."""
SPAN = 3.0
"""A slice goes so many times as far as raises the loss twofold along a parabola, to either side."""
POINTS = 15
"""Of a slice."""
PENALTIES = tuple(10.0**power for power in range(-8, 1))
"""Of the squared length of the parameters, relative to half the largest curvature."""
Verdict = Literal["minimum", "flat minimum", "saddle"]


class LandscapeConfig(Config):
    """How closely is looked.

    Attributes:
        structures: How many of the data the loss is taken over, drawn at random.
        lanczos_steps: Second derivatives that curvatures are found by.
        flow_steps: Gradients that the flow takes.
        seed: Of what is drawn.
    """

    structures: int = Field(default=40, ge=1)
    lanczos_steps: int = Field(default=40, ge=2)
    flow_steps: int = Field(default=60, ge=1)
    seed: int = Field(default=0, ge=0)


@dataclass(frozen=True)
class Landscape(Result):
    """The loss about a network's parameters, in units of the loss and of the parameters.

    Attributes:
        verdict: "saddle": along some direction the loss falls on both sides, faster than the error of the curvature; "flat minimum": some
            curvature is less than a millionth of the largest; "minimum": none is.
        structures: That the loss is taken over.
        parameters: How many there are.
        loss: At the parameters.
        slope: Length of its gradient there.
        largest_curvatures: Eigenvalues of the second derivative, descending.
        smallest_curvatures: Ascending.
        curvature_errors: How far off the largest and the smallest may be.
        flow_times: Of the gradient flow.
        flow_losses: Along it; they never rise.
        flow_slopes: Along it.
        penalties: μ of a term μ |θ|² / 2 added to the loss.
        conditioning: Largest over smallest curvature with each of them; None where the smallest is not positive.
        slice_lengths: Along the directions of largest and smallest curvature, from the parameters.
        slice_losses: There, one row for each direction.
    """

    verdict: Verdict
    structures: int
    parameters: int
    loss: float
    slope: float
    largest_curvatures: tuple[float, ...]
    smallest_curvatures: tuple[float, ...]
    curvature_errors: tuple[float, float]
    flow_times: tuple[float, ...]
    flow_losses: tuple[float, ...]
    flow_slopes: tuple[float, ...]
    penalties: tuple[float, ...]
    conditioning: tuple[float | None, ...]
    slice_lengths: tuple[tuple[float, ...], ...]
    slice_losses: tuple[tuple[float, ...], ...]

    def sentences(self) -> Iterator[str]:
        """For people."""
        yield f"loss {self.loss:.4g} over {self.structures} structures, {self.parameters} parameters, slope {self.slope:.3g}"
        largest, smallest = self.largest_curvatures[0], self.smallest_curvatures[0]
        errors = self.curvature_errors
        yield f"curvatures from {smallest:.3g} ± {errors[1]:.1g} to {largest:.3g} ± {errors[0]:.1g}"
        fallen = 1 - self.flow_losses[-1] / self.loss if self.loss > 0 else 0.0
        steps = len(self.flow_losses) - 1
        yield f"straight downhill, the loss falls by {fallen:.2%} in {steps} steps, and the slope to {self.flow_slopes[-1]:.3g}"
        yield {
            "saddle": "a saddle: there is a direction in which the loss falls to both sides. Train on, with a larger learning rate or another seed",
            "flat minimum": "a minimum, flat in some directions: the data do not say where along them the parameters should be, and weight decay does",
            "minimum": "a minimum in all directions that were looked at",
        }[self.verdict]

    def figures(self) -> tuple[Figure, ...]:
        """The flow, slices along the extreme directions, and what a penalty does to the conditioning."""
        flow = Line(np.array(self.flow_times), np.array(self.flow_losses), "loss")
        note = "Each step goes straight downhill and is taken only where it does not raise the loss."
        names = ("largest curvature", "smallest curvature")
        slices = tuple(
            Line(np.array(x), np.array(y), name)
            for x, y, name in zip(self.slice_lengths, self.slice_losses, names, strict=True)
        )
        known = [(mu, value) for mu, value in zip(self.penalties, self.conditioning, strict=True) if value is not None]
        found = [
            Figure("flow", "Gradient flow", "time of the flow", "loss", (flow,), note=note),
            Figure("slices", "Loss along two directions", "length of the change of the parameters", "loss", slices),
        ]
        if known:
            x, y = np.array(known).T
            line = (Line(x, y, "largest over smallest curvature"),)
            title = "Conditioning with an L2 term"
            found.append(
                Figure("conditioning", title, "weight of |θ|²/2", "conditioning", line, x_scale="log", y_scale="log")
            )
        return tuple(found)


@one_thread_each()
def survey_landscape(
    potential: Potential, structures: Sequence[Labelled], config: LandscapeConfig | None = None, *, quiet: bool = False
) -> Landscape:
    """Look at the loss that a potential was trained by, around its parameters.

    Curvatures are those of the most extreme directions that a Lanczos iteration finds; of thousands of parameters it finds the
    largest soon, and of the smallest an upper bound.

    Args:
        potential: Trained by gradients; what stands beside its network stays as it is.
        structures: Labelled, best those that it was trained on.
        config: How closely is looked.
        quiet: Show no progress.

    Raises:
        ConfigurationError: The potential was not trained by gradients, or is a committee.
    """
    config = config or LandscapeConfig()
    surface = loss_surface(potential, drawn(structures, config), quiet=quiet)
    origin = torch.zeros_like(surface.origin)
    loss, gradient = surface.at(origin)
    ritz = _curvatures(surface, config, quiet=quiet)
    errors = {place: _residual(surface, ritz, place) for place in (-1, 0)}
    flow = gradient_flow(surface, curvature=float(ritz.values.abs().max()), steps=config.flow_steps, quiet=quiet)
    slices = [_slice(surface, ritz.vectors[:, place], float(ritz.values[place]), loss) for place in (-1, 0)]
    largest = float(ritz.values[-1])
    penalties = [0.5 * largest * share for share in PENALTIES]
    return Landscape(
        verdict=_verdict(ritz, errors[0]),
        structures=len(surface.gradients.targets),
        parameters=len(surface.origin),
        loss=loss,
        slope=float(gradient.norm()),
        largest_curvatures=tuple(ritz.values.flip(0)[:5].tolist()),
        smallest_curvatures=tuple(ritz.values[:5].tolist()),
        curvature_errors=(errors[-1], errors[0]),
        **_of_flow(flow),
        penalties=tuple(penalties),
        conditioning=tuple(_conditioning(ritz, penalty) for penalty in penalties),
        slice_lengths=tuple(tuple(lengths) for lengths, _ in slices),
        slice_losses=tuple(tuple(losses) for _, losses in slices),
    )


def drawn(structures: Sequence[Labelled], config: LandscapeConfig) -> list[Labelled]:
    """Those with labels that the loss is taken over."""
    labelled = [one for one in structures if one.labels.any and not one.is_isolated_atom]
    order = np.random.default_rng(config.seed).permutation(len(labelled))[: config.structures]
    return [labelled[index] for index in sorted(order.tolist())]


def loss_surface(potential: Potential, structures: Sequence[Labelled], *, quiet: bool = False) -> LossSurface:
    """The loss of a potential's network, with scales and weights of its training's end.

    Raises:
        ConfigurationError: It was not trained by gradients, or is a committee.
    """
    *beside, network = potential.parts
    scales = potential.metadata.get("training", {}).get("loss_scales")
    if scales is None or not isinstance(network, TrainableModel):
        raise ConfigurationError(
            "the last part of the potential was not trained by gradients, or is the mean of several",
            place="potential",
            rule="a landscape is that of the loss of one network",
            mend="name a potential that was trained with --model network or messages, and without gradient.members",
        )
    gradient = stored_configuration(potential).gradient
    directions = gradient.hessian_directions if "hessian" in scales else 0
    targets = make_targets(structures, Potential(beside), directions=directions, quiet=quiet)
    return LossSurface.of(network, targets, scales=scales, stage=gradient.stages[-1], huber=gradient.huber)


def _curvatures(surface: LossSurface, config: LandscapeConfig, *, quiet: bool) -> Ritz:
    origin = torch.zeros_like(surface.origin)
    generator = torch.Generator().manual_seed(config.seed)
    start = torch.randn(len(origin), generator=generator, dtype=torch.float64)
    steps = iter(track(range(min(config.lanczos_steps, len(origin))), "looking for curvatures", quiet=quiet))

    def operator(vector: Tensor) -> Tensor:
        next(steps, None)
        return surface.curved(origin, vector)

    return lanczos(operator, start, config.lanczos_steps)


def _residual(surface: LossSurface, ritz: Ritz, place: int) -> float:
    """|H v - λ v|: within so much of λ there is an eigenvalue, rounding and differences included."""
    vector = ritz.vectors[:, place]
    return float((surface.curved(torch.zeros_like(vector), vector) - ritz.values[place] * vector).norm())


def _verdict(ritz: Ritz, error: float) -> Verdict:
    smallest, largest = float(ritz.values[0]), float(ritz.values[-1])
    if smallest < -max(NEGLIGIBLE * largest, 3 * error):
        return "saddle"
    return "flat minimum" if smallest < NEGLIGIBLE * largest else "minimum"


def _conditioning(ritz: Ritz, penalty: float) -> float | None:
    smallest, largest = float(ritz.values[0]) + penalty, float(ritz.values[-1]) + penalty
    return largest / smallest if smallest > 0 else None


def _slice(surface: LossSurface, direction: Tensor, curvature: float, loss: float) -> tuple[list[float], list[float]]:
    """Lengths along a direction and the loss there; no farther than the parameters are long."""
    reach = float(surface.origin.norm()) or 1.0
    if abs(curvature) > 0 and loss > 0:
        reach = min(reach, SPAN * (2 * loss / abs(curvature)) ** 0.5)
    lengths = np.linspace(-reach, reach, POINTS).tolist()
    return lengths, [surface.at(length * direction)[0] for length in lengths]


def _of_flow(flow: Flow) -> dict[str, tuple[float, ...]]:
    return {
        "flow_times": tuple(flow.times),
        "flow_losses": tuple(flow.losses),
        "flow_slopes": tuple(flow.slopes),
    }

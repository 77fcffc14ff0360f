"""What a training by gradients is told."""

from typing import Literal, Self

from pydantic import Field, model_validator

from adiabat.config import Config


class Stage(Config):
    """How much the kinds of label count from some point of the training on.

    Attributes:
        start: Fraction of the training.
        energy: Weight of the mean squared scaled error of energies per atom, see `loss.Loss`.
        forces: Of force components.
        stress: Of stress components.
        hessian: Of products of second derivatives with directions.
    """

    start: float = Field(default=0.0, ge=0, lt=1)
    energy: float = Field(default=1.0, ge=0)
    forces: float = Field(default=1.0, ge=0)
    stress: float = Field(default=0.3, ge=0)
    hessian: float = Field(default=0.3, ge=0)


class GradientConfig(Config):
    """How parameters are brought to a minimum of the loss.

    Attributes:
        epochs: How often each structure is seen; None: as many as make `STEPS` steps.
        max_minutes: Of wall-clock time for the descent, beside what was made ready for it; None: no limit. So many epochs are
            planned as fit, after the first ones were timed; the learning rate falls with the plan.
        batch_atoms: Atoms of a batch, about: structures are added until there are as many.
        learning_rate: The largest; None: what the model is best trained with.
        warmup: Fraction of the training in which it rises; from there on it falls to zero as a cosine does.
        weight_decay: Of AdamW, on matrices.
        clip: Norm to which a gradient is shortened, in multiples of the median norm of those before.
        average: Decay per step of the exponential moving average of the parameters, which is what is kept.
        validation_fraction: Of the structures, never trained on, by which the best parameters are chosen.
        patience: Epochs without a better validation after which the training ends; None: it goes on to the end.
        stages: Weights; the first begins at 0.
        huber: Errors beyond so many scales count linearly, not by their square; None: all by their square.
        hessian_directions: Of each structure that has second derivatives as a label, how many of their products with random directions
            are learned; each costs two structures more.
        members: Networks that are trained, from other first parameters and in another order: with two or more, a committee, whose
            spread makes the error bars.
        precision: Floating-point type of the training.
        seed: Of the first parameters, of the order of the structures and of the choice of those for validation.
    """

    epochs: int | None = Field(default=None, ge=1)
    max_minutes: float | None = Field(default=None, gt=0)
    batch_atoms: int = Field(default=512, ge=1)
    learning_rate: float | None = Field(default=None, gt=0)
    warmup: float = Field(default=0.02, ge=0, lt=1)
    weight_decay: float = Field(default=1e-4, ge=0)
    clip: float = Field(default=5.0, gt=0)
    average: float = Field(default=0.995, ge=0, lt=1)
    validation_fraction: float = Field(default=0.05, gt=0, lt=0.5)
    patience: int | None = Field(default=None, ge=1)
    stages: tuple[Stage, ...] = (Stage(energy=0.1), Stage(start=0.7, energy=0.3))
    huber: float | None = Field(default=None, gt=0)
    hessian_directions: int = Field(default=4, ge=0)
    members: int = Field(default=1, ge=1, le=64)
    precision: Literal["float64", "float32"] = "float64"
    seed: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _stages_follow_each_other(self) -> Self:
        starts = [stage.start for stage in self.stages]
        if not starts or starts[0] != 0 or starts != sorted(set(starts)):
            raise ValueError("stages begin at 0 and follow each other: start=0, then larger ones")
        return self

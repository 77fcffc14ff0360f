"""What `adiabat validate` says of potentials that are bad on purpose, beside the one that they were made of.

    python benchmarks/bad_potentials.py si.adiabat

Trained on ten structures; with its core repulsion off; with a stress of the wrong sign. Some CPU minutes. Exit status 1 where the whole one
fails, or a bad one does not fail by the check that is named for it.
"""

import argparse
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import torch
from ase import Atoms
from ase.build import bulk
from timing import machine

from adiabat.data import read
from adiabat.potential import Potential, Prediction, load_potential
from adiabat.properties import relaxed_cubic
from adiabat.system import Labelled
from adiabat.training import TrainConfig, train
from adiabat.typing import Quantity
from adiabat.validation import ValidateConfig, validate

ROOT = Path(__file__).parents[1]
SI = "mlearn/Si_{}.xyz"


class WrongSign(Potential):
    """A potential whose stress has the other sign."""

    @classmethod
    def of(cls, right: Potential) -> Self:
        return cls(right.parts, attachments=right.attachments, metadata=right.metadata)

    def __call__(self, structures, *, want: Collection[Quantity] = ("energy", "forces")) -> Prediction:
        found = super().__call__(structures, want=want)
        return found if found.stress is None else replace(found, stress=-found.stress)


@dataclass(frozen=True)
class Bad:
    """A potential, and the check that is to fail it; none of the one that is whole."""

    name: str
    made: Callable[[], Potential]
    named: str | None = None


def bad_ones(potential: Potential, training: list[Labelled]) -> list[Bad]:
    """The one that is whole first."""

    def of_ten() -> Potential:
        more = [one for one in training if len(one.atoms) > 1]
        chosen = np.random.default_rng(0).choice(len(more), 10, replace=False)
        return train([more[index] for index in sorted(chosen.tolist())], TrainConfig(), quiet=True)

    def bare() -> Potential:
        return Potential([part for part in potential.parts if part.kind != "zbl"])

    return [
        Bad("as it was trained", lambda: potential),
        Bad("trained on 10 structures", of_ten, "test set: energy"),
        Bad("core repulsion off", bare, "dimer Si-Si is repulsive"),
        Bad("stress of the wrong sign", lambda: WrongSign.of(potential), "stress is the derivative of the energy"),
    ]


def is_judged_right(bad: Bad, start: Atoms, test: list[Labelled]) -> bool:
    """Whether what was to fail did, and nothing else where nothing was to."""
    config = ValidateConfig.parse({"nvt_ps": 4.0, "nve_ps": 2.0, "settle_ps": 1.0})
    found = validate(bad.made(), start, data=test, config=config, quiet=True)
    print(bad.name, *found.sentences(), sep="\n    ", flush=True)
    return found.passed if bad.named is None else bad.named in {one.name for one in found.failed}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("potential", type=Path)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="the reference data")
    options = parser.parse_args()
    torch.set_num_threads(1)
    potential = load_potential(options.potential)
    training, test = (read(options.data / SI.format(part)) for part in ("train", "test"))
    start = relaxed_cubic(bulk("Si", cubic=True, a=5.47), potential) * (2, 2, 2)
    right = [is_judged_right(bad, start, test) for bad in bad_ones(potential, training)]
    print(machine())
    return 0 if all(right) else 1


if __name__ == "__main__":
    sys.exit(main())

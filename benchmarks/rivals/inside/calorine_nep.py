"""Neuroevolution potentials on the CPU by calorine: speed alone, since their trainer runs on GPUs only.

A potential of the form that GPUMD calls NEP4, with drawn parameters; its output is so weak that atoms stay where they are,
which changes nothing for it: it searches neighbours in every step.
"""

from pathlib import Path

import numpy as np
from calorine.calculators import CPUNEP
from serving import AseSubject, Order, serve

FILE = "nep.txt"
CUTOFF = 5
L_MAX, FOUR_BODY = 4, 2
FORMS = {"30": (4, 8), "50": (10, 10)}
"""Largest index of radial functions, that of the functions they are made of, by neurons."""
MOST_NEIGHBORS = 200
WEAK = 1e-6


def load(model: str, precision: str, folder: Path) -> AseSubject:
    del model, precision
    return AseSubject(CPUNEP(str(folder / FILE)))


def train(order: Order) -> str:
    neurons = int(order.model)
    n_max, basis = FORMS[order.model]
    head = [
        "nep4 1 Si",
        f"cutoff {CUTOFF} {CUTOFF} {MOST_NEIGHBORS} {MOST_NEIGHBORS}",
        f"n_max {n_max} {n_max}",
        f"basis_size {basis} {basis}",
        f"l_max {L_MAX} {FOUR_BODY} 0",
        f"ANN {neurons} 0",
    ]
    inputs = (n_max + 1) * (1 + L_MAX + 1)
    drawn = np.random.default_rng(0)
    first = drawn.normal(size=neurons * (inputs + 1))
    second = WEAK * drawn.normal(size=neurons + 1)
    expansion = drawn.normal(size=2 * (n_max + 1) * (basis + 1))
    numbers = np.concatenate([first, second, expansion, np.ones(inputs)])
    (order.folder / FILE).write_text("\n".join([*head, *(f"{number:.9e}" for number in numbers)]) + "\n")
    return (
        f"drawn parameters: n_max {n_max}, basis_size {basis}, l_max {L_MAX} {FOUR_BODY}, {neurons} neurons, {CUTOFF} Å"
    )


if __name__ == "__main__":
    serve(load, train, ["calorine"])

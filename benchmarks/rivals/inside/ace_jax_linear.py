"""Linear ACE by ace-jax: the command of its quickstart, with weights, served by its ASE calculator.

Without weights its noise levels are chosen by the evidence, and energies are then off by 20 meV/atom and more on the very
structures it was trained on; so it gets the weights that ACEpotentials, whose fits it continues, has as defaults.
"""

import json
import subprocess
import sys
from pathlib import Path

import jax
from serving import AseSubject, Order, serve

jax.config.update("jax_enable_x64", True)

from ace_jax import ACECalculator  # noqa: E402 (it compiles in what is set before)

FIT = "fit"
WEIGHTS = {"default": {"E": 30.0, "F": 1.0, "V": 1.0}}


def load(model: str, precision: str, folder: Path) -> AseSubject:
    del model, precision
    return AseSubject(ACECalculator(str(folder / FIT / "model.npz")))


def train(order: Order) -> str:
    command = [Path(sys.executable).parent / "aj", "fit", "--order", "3", "--max-degree", order.model]
    keys = ["--energy-key", "REF_energy", "--force-key", "REF_forces", "--stress-key", "REF_stress"]
    settings = ["--e0", "lsq", "--opt", "lbfgs", "--weights", json.dumps(WEIGHTS), "--out", order.folder / FIT]
    subprocess.run([*command, "--train", order.data, *keys, *settings], check=True)
    return f"`aj fit --order 3 --max-degree {order.model} --e0 lsq --opt lbfgs`, weights 30, 1, 1"


if __name__ == "__main__":
    serve(load, train, ["ace-jax", "jax"])

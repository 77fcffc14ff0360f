"""Linear ACE by ace-jax: the command of its quickstart with a larger basis where asked, served by its ASE calculator."""

import subprocess
import sys
from pathlib import Path

import jax
from serving import AseSubject, Order, serve

jax.config.update("jax_enable_x64", True)

from ace_jax import ACECalculator  # noqa: E402 (it compiles in what is set before)

FIT = "fit"


def load(model: str, precision: str, folder: Path) -> AseSubject:
    del model, precision
    return AseSubject(ACECalculator(str(folder / FIT / "model.npz")))


def train(order: Order) -> str:
    command = [Path(sys.executable).parent / "aj", "fit", "--order", "3", "--max-degree", order.model]
    keys = ["--energy-key", "REF_energy", "--force-key", "REF_forces", "--stress-key", "REF_stress"]
    subprocess.run(
        [*command, "--train", order.data, *keys, "--e0", "lsq", "--opt", "lbfgs", "--out", order.folder / FIT],
        check=True,
    )
    return "`aj fit --order 3 --e0 lsq --opt lbfgs`"


if __name__ == "__main__":
    serve(load, train, ["ace-jax", "jax"])

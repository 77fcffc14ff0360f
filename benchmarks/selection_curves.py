"""Which structures to label next: chosen by what the potential does not know, or at random; learning curves with bands.

    python benchmarks/selection_curves.py --docs docs

For each seed a quarter of the structures is held out, and a potential is trained on a few drawn ones. Then, batch by batch, more are
taken from the rest: at random; D-optimally, by the posterior of the potential trained last (`choose_d_optimal`); or those whose
forces it is least sure of. Errors are those of force components of the held-out structures.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch
from timing import machine

import adiabat
from adiabat.models import LinearACE
from adiabat.potential import Potential
from adiabat.runs import atomic_write_text, track
from adiabat.system import Labelled
from adiabat.training import TrainConfig
from adiabat.training.examples import KINDS, ExampleMaker
from adiabat.training.train import fit
from adiabat.typing import FloatArray
from adiabat.uncertainty import LinearPosterior, choose_d_optimal

DATA = Path(__file__).parents[2] / "shared" / "data" / "mlearn" / "Si_train.xyz"
HELD_OUT = 0.25
CONFIG = TrainConfig.parse({"calibration": {"structures": 40}})
Choose = Callable[[Potential, list[Labelled], int, np.random.Generator], list[int]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--first", type=int, default=10, help="structures that are drawn to begin with")
    parser.add_argument("--batch", type=int, default=10)
    parser.add_argument("--batches", type=int, default=4)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--docs", type=Path, help="the folder to write selection.md and images/selection.png to")
    options = parser.parse_args()
    structures = [one for one in adiabat.read(options.data) if not one.is_isolated_atom]
    sizes = [options.first + options.batch * number for number in range(options.batches + 1)]
    jobs = [(name, seed) for seed in range(options.seeds) for name in CHOICES]
    errors: dict[str, list[list[float]]] = {name: [] for name in CHOICES}
    for name, seed in track(jobs, "choosing and training"):
        errors[name].append(curve(structures, CHOICES[name], seed, sizes))
    curves = {name: np.array(of_name) for name, of_name in errors.items()}
    said = table(sizes, curves)
    print("\n".join(said))
    if options.docs:
        (options.docs / "images").mkdir(parents=True, exist_ok=True)
        draw(sizes, curves, options.docs / "images" / "selection.png")
        atomic_write_text(options.docs / "selection.md", page(said, options.seeds))


def curve(structures: Sequence[Labelled], choose: Choose, seed: int, sizes: Sequence[int]) -> list[float]:
    """eV/Å at each size."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(structures)).tolist()
    held_out, rest = order[: int(HELD_OUT * len(order))], order[int(HELD_OUT * len(order)) :]
    test = [structures[index] for index in held_out]
    chosen = rest[: sizes[0]]
    potential = fit([structures[index] for index in chosen], CONFIG, quiet=True)
    found = [error_of(potential, test)]
    for size in sizes[1:]:
        left = [index for index in rest if index not in set(chosen)]
        picked = choose(potential, [structures[index] for index in left], size - len(chosen), rng)
        chosen = [*chosen, *(left[place] for place in picked)]
        potential = fit([structures[index] for index in chosen], CONFIG, quiet=True)
        found.append(error_of(potential, test))
    return found


def error_of(potential: Potential, test: Sequence[Labelled]) -> float:
    """eV/Å, root mean square of force components."""
    error = adiabat.evaluate(potential, test, calibration=False, quiet=True).force_rmse_ev_per_angstrom
    if error is None:
        raise SystemExit("the held-out structures have no forces")
    return error


def at_random(potential: Potential, pool: list[Labelled], count: int, rng: np.random.Generator) -> list[int]:
    """Whatever comes."""
    return rng.choice(len(pool), count, replace=False).tolist()


def d_optimally(potential: Potential, pool: list[Labelled], count: int, rng: np.random.Generator) -> list[int]:
    """What says most of the coefficients."""
    [model] = [part for part in potential.parts if isinstance(part, LinearACE)]
    make = ExampleMaker(model, Potential([part for part in potential.parts if part is not model]))
    posterior = potential.attachments["posterior"]
    assert isinstance(posterior, LinearPosterior)
    rows = []
    for structure in pool:
        blocks = make(structure).blocks
        rows.append(torch.cat([torch.from_numpy(blocks[k].rows) / posterior.noise[k] for k in KINDS if k in blocks]))
    return list(choose_d_optimal(rows, posterior.covariance, count).chosen)


def least_sure(potential: Potential, pool: list[Labelled], count: int, rng: np.random.Generator) -> list[int]:
    """The largest root mean square standard deviation of forces."""
    found = [potential(structure.atoms, want=("forces_std",)).forces_std for structure in pool]
    sizes = [float(std.square().mean()) for std in found if std is not None]
    return np.argsort(sizes)[::-1][:count].tolist()


CHOICES: dict[str, Choose] = {"at random": at_random, "D-optimally": d_optimally, "least sure": least_sure}


def table(sizes: Sequence[int], curves: dict[str, FloatArray]) -> list[str]:
    """As Markdown: mean and standard deviation over the seeds."""
    rows = [
        [str(size), *(f"{of_name[:, k].mean():.3f} ± {of_name[:, k].std(ddof=1):.3f}" for of_name in curves.values())]
        for k, size in enumerate(sizes)
    ]
    header = ["structures", *curves]
    return [f"| {' | '.join(line)} |" for line in (header, ["---"] * len(header), *rows)]


def draw(sizes: Sequence[int], curves: dict[str, FloatArray], file: Path) -> None:
    """Means, with bands of one standard deviation over the seeds."""
    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    for name, of_name in curves.items():
        mean, spread = of_name.mean(0), of_name.std(0, ddof=1)
        [line] = axes.plot(sizes, mean, marker="o", label=name)
        axes.fill_between(sizes, mean - spread, mean + spread, color=line.get_color(), alpha=0.2, linewidth=0)
    axes.set(xlabel="training structures", ylabel="force RMSE, held out (eV/Å)", yscale="log")
    axes.legend()
    figure.savefig(file, dpi=150)


def page(said: list[str], seeds: int) -> str:
    """The documentation's."""
    return "\n".join(
        [
            "# Which structures to label next",
            "",
            "Written by `python benchmarks/selection_curves.py --docs docs`: silicon, force errors (RMSE, eV/Å) on a quarter of",
            f"the structures, mean and standard deviation over {seeds} seeds.",
            "",
            *said,
            "",
            "![Force error against training structures](images/selection.png)",
            "",
            *(f"    {line}" for line in machine().splitlines()),
            "",
        ]
    )


if __name__ == "__main__":
    main()

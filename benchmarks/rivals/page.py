"""The page that says how the rivals compare."""

from collections.abc import Sequence

from rivals.row import Row

IMAGE = "![Force error against time per atom](images/comparison.png)"
HEADS = (
    "",
    "model",
    "precision",
    "training, CPU s",
    "energy MAE, meV/atom",
    "force MAE, eV/Å",
    "µs per atom",
    "times as long as {reference}",
    "versions",
)


PAGE = """\
# adiabat beside what users would pick instead

Written by `python benchmarks/comparison.py --docs docs`, which installs each rival from the package registry into an
environment of its own, trains what is not published with coefficients, and runs all of them in turn. With what it keeps
in `build/comparison`, a second run takes minutes.

{image}

{table}

{machine}

## What is measured

- **Time**: constant-energy dynamics, 1 fs a step, of 1,000 silicon atoms in the diamond structure (displaced by Gaussian
  noise of 0.05 Å, at rest in the beginning), as users of each code run it: LAMMPS and adiabat by their own engines, the
  others by ASE. Neighbour lists and integration are included. Processor seconds of one process on one core, one thread;
  the median of all rounds. Ratios are of times in the same round: median [quartiles].
- **Accuracy**: mean absolute errors on the 25 silicon test structures of Zuo et al. (J. Phys. Chem. A 124, 731 (2020)).
  All were trained on the 214 training structures of that work, here or by its authors (SNAP, qSNAP). Energies are compared
  as they are, without a shift. Nothing was chosen by these errors within this benchmark; what the presets of adiabat owe to
  them, the [README](../README.md#how-good-it-is) says.
- **Training**: processor seconds of all that the training command does. adiabat and ace-jax solve a linear problem, and take
  what it takes. MTP and MACE are trained by gradient, within the budget that stands above, starting included. NEP's trainer
  runs on GPUs only: its parameters are drawn, and it is timed alone.

## What the numbers do not say

- MTP and MACE are made for hours or days of training, on many cores or a GPU; after minutes on one core they show what those
  minutes buy, and nothing of what their form can reach: Zuo et al. give their MTP, trained at length, a force error of about
  0.06 eV/Å on this test set, that of our default. MACE comes with models for nearly all elements, made by others; all else in
  the table begins with your own data.
- LAMMPS, GPUMD (the home of NEP) and MACE run on GPUs, LAMMPS on thousands of nodes; adiabat here runs on one core, on no GPU.
- ASE's integrator and its bookkeeping stand in the times of those who run by it; codes that search their neighbours anew in every
  step pay for that too. ace-jax exports to LAMMPS, MACE and NEP have interfaces to it, which spare some of this.
- ace-jax has the weights of energies, forces and virials that ACEpotentials has as defaults (30, 1, 1): by its own, chosen by the
  evidence, energies of the structures that it was trained on are off by 20 meV/atom and more.
- One crystal at one temperature: who has more neighbours within the cutoff, or a liquid, will see other times.
"""


def page(rows: Sequence[Row], reference: Row, said: str) -> str:
    """All of it.

    Args:
        rows: In the order of the table.
        reference: To whose time the others' are related.
        said: Machine, versions, date, load.
    """
    machine = "\n".join(f"    {line}" for line in said.splitlines())
    return PAGE.format(table=table(rows, reference), image=IMAGE, machine=machine)


def table(rows: Sequence[Row], reference: Row) -> str:
    """Rows in Markdown; who could not be measured stands in it with the reason."""
    heads = [head.format(reference=reference.entry.label) for head in HEADS]
    lines = [heads, ["---"] * len(heads), *(cells(row, reference) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cells(row: Row, reference: Row) -> list[str]:
    """One line of the table."""
    accuracy = [number(row.energy_mae, ".1f"), number(row.force_mae, ".3f")]
    ratio = row.slower_than(reference)
    return [
        row.entry.label,
        f"**{row.problem}**" if row.problem else row.how,
        row.entry.precision,
        number(row.training_s, ".0f"),
        *(accuracy if row.entry.accuracy else ["speed only", "speed only"]),
        three_digits(row.speed),
        "–" if ratio is None else "{1} [{0} {2}]".format(*map(three_digits, ratio)),
        ", ".join(f"{name} {version}" for name, version in row.versions.items()),
    ]


def number(value: float | None, form: str) -> str:
    """A number, or a dash where there is none."""
    return "–" if value is None else format(value, form)


def three_digits(value: float | None) -> str:
    """A number by its first three digits, without powers of ten; or a dash."""
    return number(value, ".3g" if value is None or value < 999.5 else ".0f")

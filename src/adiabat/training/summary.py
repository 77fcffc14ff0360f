"""What a training run says of itself when it has ended."""

from collections.abc import Iterator, Mapping
from typing import Any

from adiabat.potential import Potential
from adiabat.units import GPA_PER_EV_PER_CUBIC_ANGSTROM

# How the errors of each kind are said: factor and unit.
SAID = {
    "energy": ("energy", 1e3, "meV/atom"),
    "forces": ("forces", 1.0, "eV/Å"),
    "stress": ("stress", GPA_PER_EV_PER_CUBIC_ANGSTROM, "GPa"),
    "hessian": ("second derivatives", 1.0, "eV/Å²"),
}


def training_sentences(potential: Potential) -> tuple[str, ...]:
    """Size, labels, errors on what was not fitted, noise levels by config_type where there are such, and notes."""
    summary = potential.metadata["training"]
    fitted = _by_gradients(potential, summary) if "history" in summary else _linear(potential, summary)
    return (*fitted, *(f"note: {note}" for note in summary["notes"]))


def _linear(potential: Potential, summary: Mapping[str, Any]) -> Iterator[str]:
    yield f"{summary['functions']} functions, cutoff {potential.cutoff:.2f} Å, fitted to labels of {_counted(summary)}"
    yield f"mean absolute errors on structures left out of the fit: {_said(summary['left_out_mae'])}"
    for config_type, levels in summary.get("noise_by_config_type", {}).items():
        yield f"noise of {config_type}: {_said(levels)}"
    yield from _error_bars(potential)


def _by_gradients(potential: Potential, summary: Mapping[str, Any]) -> Iterator[str]:
    epochs, best = len(summary["history"]["epochs"]), summary["best_epoch"]
    several = f"{summary['members']} networks of " if "members" in summary else ""
    yield f"{several}{summary['parameters']} parameters, cutoff {potential.cutoff:.2f} Å, trained on labels of {_counted(summary)}"
    yield (
        f"mean absolute errors on {summary['validation_structures']} structures that were not trained on (epoch {best} of "
        f"{epochs}, which they chose): {_said(summary['validation_mae'])}"
    )
    yield from _error_bars(potential)


def _counted(summary: Mapping[str, Any]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in summary["rows"].items())


def _error_bars(potential: Potential) -> Iterator[str]:
    """What they are worth; nothing where there are none, which a note says."""
    if potential.calibration is not None:
        scores = potential.calibration[1]["left_out"]
        held = ", ".join(f"{100 * scores[kind]['coverage_68']:.0f} % of {kind}" for kind in SAID if kind in scores)
        yield f"error bars: of structures that were not fitted to, 68 % intervals hold {held}"


def _said(values: Mapping[str, float]) -> str:
    """By kind of label, in the units that people read."""
    return ", ".join(f"{SAID[kind][0]} {SAID[kind][1] * value:.3g} {SAID[kind][2]}" for kind, value in values.items())

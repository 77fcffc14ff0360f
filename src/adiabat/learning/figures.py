"""What is to be seen of a run: its learning curve, how sure it grew, what it cost, where labels were spent."""

from collections.abc import Sequence

import numpy as np

from adiabat.learning.descriptor_map import DescriptorMap
from adiabat.learning.foreseen import Foreseen
from adiabat.learning.learn import Generation
from adiabat.results import Figure, Line, Points
from adiabat.typing import FloatArray

LABELS = "labels that it was trained on"
EXPLORED = "met in simulations"
GENERATION, MOST_SERIES = "generation_", 4


def learning_curve(generations: Sequence[Generation]) -> Figure:
    """Errors on new labels before they were seen, what was said of them, and errors of what was left out."""
    left_out = [(one.labels, one.left_out_force_rmse_ev_per_angstrom) for one in generations]
    errors = [(one.labels, one.new_force_rmse_ev_per_angstrom) for one in generations]
    said = [(one.labels, one.new_force_std_ev_per_angstrom) for one in generations]
    return Figure(
        name="learning-curve",
        title="Learning curve",
        x_label=LABELS,
        y_label="force components, rms (eV/Å)",
        marks=(
            _line(errors, "error on new labels, not seen before"),
            _line(said, "error bars that it gave them"),
            _line(left_out, "error on training structures left out"),
        ),
        y_scale="log",
        note="New labels are those that it had asked for because it was unsure: harder than an average frame.",
    )


def unsure_frames(generations: Sequence[Generation], *, flagged: float) -> Figure:
    """The fraction of frames that the potential was unsure of, and below which the run ends.

    Args:
        generations: So far.
        flagged: The fraction.
    """
    found = _line([(number, one.fraction_flagged) for number, one in enumerate(generations)], "unsure frames")
    ends = [Line(found.x[[0, -1]], np.full(2, flagged), "the run ends here", dashed=True)] if len(found.x) else []
    return Figure(
        name="unsure",
        title="How sure it is of what its simulations meet",
        x_label="generation",
        y_label="fraction of frames",
        marks=(found, *ends),
        note="Dashed: where the run ends. What comes after an unsure frame of a simulation counts as unsure.",
    )


def where_labels_went(found: DescriptorMap, kinds: Sequence[str], names: Sequence[str]) -> Figure:
    """The map: what simulations met in the background, labels by their kind on it.

    Args:
        found: Of the labelled structures, and as others of those that simulations met.
        kinds: config_type of each labelled one.
        names: Of each labelled one.
    """
    shown = _within(found.others, found.coordinates)
    background = found.others[shown]
    marks = [Points(background[:, 0], background[:, 1], EXPLORED)] if len(background) else []
    series = _together(kinds)
    for kind in dict.fromkeys(series):
        chosen = [index for index, other in enumerate(series) if other == kind]
        own = found.coordinates[chosen]
        marks.append(Points(own[:, 0], own[:, 1], kind, tuple(names[index] for index in chosen)))
    outside = f" {(~shown).sum()} that were met lie far outside." if not shown.all() else ""
    return Figure(
        name="map",
        title="Where the labels were spent",
        x_label=f"first principal component ({found.shares[0]:.0%})",
        y_label=f"second one ({found.shares[1]:.0%})",
        marks=tuple(marks),
        note="Each point is a structure: the mean of its atoms' features, each scaled to a variance of one, and of these the two "
        f"directions in which labelled structures differ most, with the share of all variance. Isolated atoms are left out.{outside}",
    )


def _together(kinds: Sequence[str]) -> list[str]:
    """The kinds, of many generations several under one name: colours that can be told apart are few."""
    numbers = sorted({int(kind.removeprefix(GENERATION)) for kind in kinds if kind.startswith(GENERATION)})
    names: dict[str, str] = {}
    for part in np.array_split(np.array(numbers, dtype=int), min(MOST_SERIES, max(len(numbers), 1))):
        if len(part):
            name = f"generation {part[0]}" if len(part) == 1 else f"generations {part[0]} to {part[-1]}"
            names |= {f"{GENERATION}{number}": name for number in part}
    return [names.get(kind, kind) for kind in kinds]


def _within(others: FloatArray, structures: FloatArray) -> np.ndarray:
    """Which lie no farther from where structures are than these from each other."""
    low, high = structures.min(0), structures.max(0)
    return ((others >= low - (high - low)) & (others <= high + (high - low))).all(1)


def errors_foreseen(foreseen: Sequence[Foreseen]) -> Figure:
    """Force errors on new labels against the error bars that came with them."""
    pairs: dict[str, list[tuple[float, float, str]]] = {}
    structures = [(f"generation_{number}", one) for number, each in enumerate(foreseen) for one in each.structures]
    for name, (_, one) in zip(_together([kind for kind, _ in structures]), structures, strict=True):
        stds = np.linalg.norm(one.force_stds, axis=1)
        texts = [f"{one.place}, atom {atom}" for atom in range(len(stds))]
        pairs.setdefault(name, []).extend(zip(stds.tolist(), one.errors_of_atoms.tolist(), texts, strict=True))
    marks: list[Points | Line] = []
    for name, own in pairs.items():
        stds, errors, texts = zip(*own, strict=True)
        marks.append(Points(np.array(stds), np.array(errors), name, texts))
    most = max((float(max(mark.x.max(), mark.y.max())) for mark in marks), default=0.0)
    least = min((float(mark.x.min()) for mark in marks), default=most)
    if marks:
        marks.append(Line(np.array([least, most]), np.array([least, most]), "as said", dashed=True))
    return Figure(
        name="foreseen",
        title="Errors on new labels against their error bars",
        x_label="error bar of an atom's force (eV/Å)",
        y_label="error of it (eV/Å)",
        marks=tuple(marks),
        x_scale="log",
        y_scale="log",
        note="By the potential that had asked for the label. Errors scatter about the dashed line where error bars are right.",
    )


def _line(points: Sequence[tuple[int, float | None]], name: str) -> Line:
    known = [(x, y) for x, y in points if y is not None]
    return Line(np.array([float(x) for x, _ in known]), np.array([y for _, y in known]), name)

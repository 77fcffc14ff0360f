"""The plots of an evaluation, as data."""

from collections.abc import Iterable, Sequence

import numpy as np

from adiabat.evaluation.compare import Compared, Comparison
from adiabat.evaluation.learning_curve import LearningCurve
from adiabat.evaluation.pairs import LabelKind, label_kinds
from adiabat.results import Bars, Figure, Line, Points
from adiabat.typing import FloatArray

MOST_GROUPS = 6
"""Kinds of structures with a colour of their own: more cannot be told apart."""
FEWEST_BINS, MOST_BINS = 9, 61
LINEAR_COUNTS = 50
"""In the fullest bin of a histogram, up to which its counts stand on a linear axis."""
DISTANCE_BINS = 12
LEAST_FORCE = 1e-3
"""eV/Å, below which a force is taken to vanish by symmetry."""


def evaluation_figures(comparison: Comparison) -> tuple[Figure, ...]:
    """Parity plots and error histograms of the kinds of labels that there are, and errors against the distance."""
    groups = _groups(comparison.compared)
    drawn = [(kind, points) for kind in label_kinds(comparison) if (points := _parity_points(kind, groups))]
    parity = [_parity(kind, points) for kind, points in drawn]
    histograms = [_histogram(kind, points) for kind, points in drawn]
    return (*parity, *histograms, *_distance_figures(comparison.compared))


def learning_curve_figures(curve: LearningCurve) -> tuple[Figure, ...]:
    """Energy and force errors against what grows."""
    sizes = np.array(curve.sizes, dtype=np.float64)
    labels = (
        ("energy", "energy MAE (meV/atom)", curve.energy_mae_mev_per_atom),
        ("force", "force MAE (eV/Å)", curve.force_mae_ev_per_angstrom),
    )
    return tuple(
        Figure(
            name=f"learning-{kind}",
            title=f"Learning curve: {kind}",
            x_label=curve.size_name,
            y_label=y_label,
            marks=(Line(sizes[known], errors[known], curve.evaluated_on),),
            x_scale="log",
            y_scale="log",
            note=f"Evaluated on {curve.evaluated_on}.",
        )
        for kind, y_label, values in labels
        if (known := np.isfinite(errors := np.array(values, dtype=np.float64))).any()
    )


def _groups(compared: Iterable[Compared]) -> dict[str, list[Compared]]:
    """Structures by config_type, the largest first so that it lies below; where there are too many, the rest as one."""
    by_type: dict[str, list[Compared]] = {}
    for one in compared:
        by_type.setdefault(one.structure.config_type, []).append(one)
    by_type = dict(sorted(by_type.items(), key=lambda item: -sum(one.n_atoms for one in item[1])))
    if len(by_type) <= MOST_GROUPS:
        return by_type
    names = list(by_type)
    common, others = names[: MOST_GROUPS - 1], names[MOST_GROUPS - 1 :]
    rest = [one for name in others for one in by_type[name]]
    return {name: by_type[name] for name in common} | {f"{len(others)} other types": rest}


def _parity_points(kind: LabelKind, groups: dict[str, list[Compared]]) -> list[Points]:
    found = []
    for name, members in groups.items():
        pairs = [pairs for one in members if (pairs := kind.pairs(one)) is not None]
        if pairs:
            reference = np.concatenate([each.reference for each in pairs])
            predicted = np.concatenate([each.predicted for each in pairs])
            found.append(Points(reference, predicted, name, tuple(text for each in pairs for text in each.texts)))
    return found


def _parity(kind: LabelKind, points: Sequence[Points]) -> Figure:
    ends = np.array([min(each.x.min() for each in points), max(each.x.max() for each in points)])
    return Figure(
        name=f"{kind.name}-parity",
        title=f"{kind.name.capitalize()}: predicted against reference",
        x_label=f"reference {kind.axis}",
        y_label=f"predicted {kind.axis}",
        marks=(Line(ends, ends, "equal", dashed=True), *points),
        note=kind.note,
        equal_axes=True,
    )


def _histogram(kind: LabelKind, points: Sequence[Points]) -> Figure:
    errors = kind.error_scale * np.concatenate([each.y - each.x for each in points])
    reach = float(np.abs(errors).max()) or 1.0
    bins = int(np.clip(2 * (int(np.sqrt(len(errors))) // 2) + 1, FEWEST_BINS, MOST_BINS))  # odd: one is centred at zero
    counts, edges = np.histogram(errors, bins=bins, range=(-reach, reach))
    return Figure(
        name=f"{kind.name}-errors",
        title=f"{kind.name.capitalize()} errors",
        x_label=f"predicted − reference ({kind.error_unit})",
        y_label=kind.counted,
        marks=(Bars(edges, counts.astype(np.float64), kind.counted),),
        y_scale="log" if counts.max() > LINEAR_COUNTS else "linear",
    )


def _distance_figures(compared: Sequence[Compared]) -> tuple[Figure, ...]:
    """Error of each atom's force against how far its environment is from the training data."""
    known = [
        (one, one.distance, errors)
        for one in compared
        if one.distance is not None and (errors := one.force_errors) is not None
    ]
    moved = np.concatenate([_has_force(one) for one, _, _ in known]) if known else np.zeros(0, dtype=bool)
    if not moved.any():
        return ()
    distance = np.concatenate([distances for _, distances, _ in known])[moved]
    error = np.concatenate([np.linalg.norm(errors, axis=1) for _, _, errors in known])[moved]
    texts = [
        f"{one.structure.place}, atom {atom} ({symbol}), {one.structure.config_type}"
        for one, _, _ in known
        for atom, symbol in enumerate(one.structure.atoms.get_chemical_symbols())
    ]
    still = int((~moved).sum())
    without = f" Not shown: {still:,} of {len(moved):,} atoms, which have no force to predict." if still else ""
    points = Points(distance, error, "atoms", tuple(texts[index] for index in np.flatnonzero(moved)))
    figure = Figure(
        name="distance",
        title="Force error against distance",
        x_label="distance from the training data (1: typical of it)",
        y_label="force error of an atom (eV/Å)",
        marks=(points, *_quantile_lines(distance, error)),
        x_scale="log",
        y_scale="log",
        note="Lines: the median and the 95th percentile of bins with equally many atoms." + without,
    )
    return (figure,)


def _has_force(one: Compared) -> np.ndarray:
    """(n,) whether there is a force to get wrong: where it vanishes by symmetry, its error says nothing."""
    both = np.stack([np.asarray(one.structure.labels.forces), np.asarray(one.predicted.forces)])
    return (np.linalg.norm(both, axis=2) >= LEAST_FORCE).any(axis=0)


def _quantile_lines(distance: FloatArray, error: FloatArray) -> tuple[Line, ...]:
    order = np.argsort(distance, kind="stable")
    bins = np.array_split(order, min(DISTANCE_BINS, len(order)))
    center = np.array([np.median(distance[chosen]) for chosen in bins])
    return tuple(
        Line(center, np.array([np.quantile(error[chosen], q) for chosen in bins]), name)
        for name, q in (("median", 0.5), ("95th percentile", 0.95))
    )

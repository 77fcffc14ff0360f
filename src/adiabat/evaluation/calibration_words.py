"""A calibration for people to read: its tables, and sentences that judge it."""

from collections.abc import Iterator

from adiabat.evaluation.calibration import CalibrationSummary, KindCalibration
from adiabat.evaluation.evaluate import Evaluation
from adiabat.results import Table

NOT_CALIBRATED = (
    "Calibration: none, for no standard deviations were predicted. A potential without a posterior has none: train it again "
    "with this version."
)
COLUMNS = (
    "errors",
    "in 50 % interval (%)",
    "in 68 % interval (%)",
    "in 90 % interval (%)",
    "in 95 % interval (%)",
    "neg. log likelihood",
    "rank correlation",
)
KINDS = {"energy": "energies", "forces": "force components", "stress": "stress components"}
LEFT_OUT = {
    "energy": "of isolated atoms, from which energies are counted",
    "forces": "that are zero by symmetry",
    "stress": "that are zero by symmetry",
}
TITLES = {"energy": "Energy", "forces": "Force", "stress": "Stress"}


def calibration_table(calibration: CalibrationSummary) -> Table:
    """Coverage, likelihood and rank correlation of each kind of label that there is."""
    rows = tuple((kind, *_cells(found)) for kind, found in _kinds(calibration))
    return Table("calibration", "Calibration of the standard deviations", ("label", *COLUMNS), rows)


def calibration_by_type_tables(evaluation: Evaluation) -> tuple[Table, ...]:
    """The same of each config_type, where there are several, a table for each kind of label."""
    by_type = {name: each.calibration for name, each in evaluation.by_config_type.items() if each.calibration}
    if evaluation.calibration is None or len(by_type) < 2:
        return ()
    return tuple(
        Table(
            f"calibration-{kind}",
            f"{TITLES[kind]} calibration by config_type",
            ("config_type", *COLUMNS),
            tuple(
                (name, *_cells(found))
                for name, calibration in by_type.items()
                if (found := dict(_kinds(calibration)).get(kind)) is not None
            ),
        )
        for kind, _ in _kinds(evaluation.calibration)
    )


def calibration_sentences(calibration: CalibrationSummary | None) -> tuple[str, ...]:
    """Whether the intervals are too narrow or too wide, as far as so many errors can tell."""
    if calibration is None:
        return (NOT_CALIBRATED,)
    return tuple(_sentence(kind, found) for kind, found in _kinds(calibration))


def verdict(found: KindCalibration) -> str | None:
    """What the coverage says of the intervals, in a few words; None where there are too few errors to say anything."""
    sides = [
        _side(coverage, expected)
        for coverage, expected in (
            (found.coverage_68, found.calibrated_range_68),
            (found.coverage_95, found.calibrated_range_95),
        )
        if coverage is not None and expected is not None
    ]
    if not sides:
        return None
    if {-1, 1} <= set(sides):
        return "are too wide for most errors and too narrow for the largest"
    if any(sides):
        return "are too narrow" if min(sides) < 0 else "are too wide"
    return "are as wide as they should be, as far as these errors can tell"


def _side(coverage: float, expected: tuple[float, float]) -> int:
    low, high = expected
    return -1 if coverage < low else 1 if coverage > high else 0


def _kinds(calibration: CalibrationSummary) -> Iterator[tuple[str, KindCalibration]]:
    """Those of which there are errors."""
    for kind in KINDS:
        found: KindCalibration = getattr(calibration, kind)
        if found.count:
            yield kind, found


def _cells(found: KindCalibration) -> tuple[float | int | None, ...]:
    covered = (found.coverage_50, found.coverage_68, found.coverage_90, found.coverage_95)
    percent = (None if share is None else 100 * share for share in covered)
    return (found.count, *percent, found.negative_log_likelihood, found.rank_correlation)


def _sentence(kind: str, found: KindCalibration) -> str:
    counted = f"{found.count:,} {KINDS[kind]}"
    left_out = f" Left out: {found.left_out:,} {LEFT_OUT[kind]}." if found.left_out else ""
    if found.coverage_68 is None or found.coverage_95 is None:
        return f"{TITLES[kind]} calibration: none, for {found.zero_std:,} of {counted} have no uncertainty.{left_out}"
    holds = (
        f"{100 * found.coverage_68:.0f} % of {counted} lie within their 68 % interval, {100 * found.coverage_95:.0f} % "
        "within that of 95 %"
    )
    judged = verdict(found)
    if judged is None or found.calibrated_range_68 is None or found.calibrated_range_95 is None:
        return f"{TITLES[kind]} intervals: {holds}; too few independent errors to judge by.{left_out}"
    ranges = (found.calibrated_range_68, found.calibrated_range_95)
    expected = " and ".join(f"{100 * low:.0f} to {100 * high:.0f} %" for low, high in ranges)
    together = "" if found.independent == found.count else ", counting errors that go together as fewer"
    return f"{TITLES[kind]} intervals {judged}: {holds}; calibrated ones would hold {expected}{together}.{left_out}"

"""LearningCurve: errors against the size of what was learned from, or of what learned."""

from dataclasses import dataclass

from adiabat.results import Result


@dataclass(frozen=True)
class LearningCurve(Result):
    """Errors of potentials of growing size on the same structures, none of which they were trained on.

    Attributes:
        size_name: What grows, for the axis: "training structures", "basis functions".
        sizes: Ascending.
        energy_mae_mev_per_atom: For each size.
        force_mae_ev_per_angstrom: For each size.
        evaluated_on: What the errors were measured on.
    """

    size_name: str
    sizes: tuple[int, ...]
    energy_mae_mev_per_atom: tuple[float | None, ...]
    force_mae_ev_per_angstrom: tuple[float | None, ...]
    evaluated_on: str

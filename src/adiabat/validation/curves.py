"""Two curves with error bars, held against each other."""

from dataclasses import dataclass

import numpy as np

from adiabat.results import Figure, Line
from adiabat.typing import FloatArray
from adiabat.validation.check import Case, CheckResult

NOISE = float(np.sqrt(2 / np.pi))
"""Mean magnitude of a normal number."""


@dataclass(frozen=True)
class Curves:
    """A distribution and that of a reference, both positive, at the same places.

    Attributes:
        places: (B,).
        own: (B,).
        own_std: (B,) standard errors; not a number where not known.
        reference: (B,).
        reference_std: (B,) likewise.
    """

    places: FloatArray
    own: FloatArray
    own_std: FloatArray
    reference: FloatArray
    reference_std: FloatArray

    def compared(self, case: Case, name: str, x_label: str, y_label: str) -> CheckResult:
        """The share of both curves in which they differ, Σ|a - b| / Σ(a + b), held against a limit and what is noise of the sampling."""
        both = float((self.own + self.reference).sum())
        value = float(np.abs(self.own - self.reference).sum()) / both
        errors = np.sqrt(np.nan_to_num(self.own_std) ** 2 + np.nan_to_num(self.reference_std) ** 2)
        noise = NOISE * float(errors.sum()) / both
        most = case.config.limits.structure_share
        unknown = float(np.mean(~np.isfinite(self.own_std + self.reference_std)))
        reason = f"differ in {100 * value:.2g} % of their area; {100 * most:.2g} % may, and {100 * noise:.2g} % more by chance."
        if unknown > 0.1:
            reason += f" Of {100 * unknown:.0f} % of the places the error bar is not known: longer runs would tell."
        figure = Figure(
            name="validate-" + "".join(letter if letter.isalnum() else "-" for letter in name),
            title=name[0].upper() + name[1:],
            x_label=x_label,
            y_label=y_label,
            marks=(
                Line(self.places, self.own, "potential", band=self.own_std),
                Line(self.places, self.reference, "reference", band=self.reference_std, dashed=True),
            ),
        )
        return CheckResult(name, value <= most + noise, value, most, "", reason, (figure,))

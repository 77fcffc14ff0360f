"""Estimate: a number with the standard deviations that it carries, and how it is printed."""

import math
from dataclasses import dataclass

import numpy as np

from adiabat.typing import FloatArray

UNITS = {
    "_ev_per_atom": "eV/atom",
    "_mev_per_atom": "meV/atom",
    "_ev_per_angstrom": "eV/Å",
    "_ev_per_cubic_angstrom": "eV/Å³",
    "_j_per_m2": "J/m²",
    "_cubic_angstrom_per_atom": "Å³/atom",
    "_cubic_angstrom": "Å³",
    "_kg_per_m3": "kg/m³",
    "_m_per_s": "m/s",
    "_per_square_nanometer": "1/nm²",
    "_angstrom": "Å",
    "_degree": "°",
    "_mev": "meV",
    "_ev": "eV",
    "_gpa": "GPa",
    "_thz": "THz",
    "_kb_per_atom": "k_B/atom",
    "_ps": "ps",
    "_fs": "fs",
    "_k": "K",
}
"""By how a field's name ends; the longest ending that fits is meant."""

LONGEST_LISTED = 12
"""Numbers of an array that are printed one by one."""


@dataclass(frozen=True)
class Estimate:
    """A number, or an array of numbers, with the uncertainty of the potential and that of the sampling apart.

    Attributes:
        value: What the potential itself gives.
        std: Of the potential: the root of the sum of the squares of the next two. The sampling is not in it.
        std_parametric: From the coefficients, as the training data leave them open; None where the parts are not told apart.
        std_misfit: From what no coefficients of the model can remove; likewise.
        std_sampling: The property's own standard error; None where it has none.
        unit: As it is printed; empty where the name does not tell.
    """

    value: float | FloatArray
    std: float | FloatArray
    std_parametric: float | FloatArray | None
    std_misfit: float | FloatArray | None
    std_sampling: float | FloatArray | None
    unit: str

    @property
    def total(self) -> float | FloatArray:
        """The model's and the sampling's uncertainty, added in quadrature: what is printed behind ±."""
        if self.std_sampling is None:
            return self.std
        total = np.hypot(self.std, self.std_sampling)
        return total if total.ndim else float(total)

    def lines(self, name: str) -> list[str]:
        """For a person: one line, or one for each number of an array that is not long."""
        if np.ndim(self.value) == 0:
            return [f"{name}: {self}"]
        places = list(np.ndindex(np.shape(self.value)))
        if len(places) > LONGEST_LISTED:
            bars = np.asarray(self.total)
            return [f"{name}: {len(places)} numbers, ± {bars.min():.2g} to {bars.max():.2g} {self.unit}".rstrip()]
        return [f"{name}{list(place)}: {self._at(place)}" for place in places]

    def __str__(self) -> str:
        """``5.469 ± 0.004 Å (misfit 0.003, parametric 0.002)``."""
        if np.ndim(self.value):
            return "\n".join(self.lines(""))
        bar = float(self.total)
        decimals = decimals_of(bar)
        parts = {"sampling": self.std_sampling, "misfit": self.std_misfit, "parametric": self.std_parametric}
        said = ", ".join(f"{name} {part:.{decimals}f}" for name, part in parts.items() if part is not None)
        unit = f" {self.unit}" if self.unit else ""
        return f"{self.value:.{decimals}f} ± {bar:.{decimals}f}{unit}" + (f" ({said})" if said else "")

    def _at(self, place: tuple[int, ...]) -> "Estimate":
        def here(part: float | FloatArray) -> float:
            return float(np.asarray(part)[place])

        rest = (self.std_parametric, self.std_misfit, self.std_sampling)
        parts = (None if part is None else here(part) for part in rest)
        return Estimate(here(self.value), here(self.std), *parts, unit=self.unit)


def unit_of(name: str) -> str:
    """The unit at the end of a field's name; empty where there is none."""
    endings = [ending for ending in UNITS if f"_{name}".endswith(ending)]
    return UNITS[max(endings, key=len)] if endings else ""


def decimals_of(bar: float) -> int:
    """Decimals that an error bar deserves: one digit of it, two where the first is 1 or 2."""
    if not (bar > 0 and math.isfinite(bar)):
        return 6
    exponent = math.floor(math.log10(bar))
    digits = 2 if bar / 10.0**exponent < 3 else 1
    return max(0, digits - 1 - exponent)

"""By which standard deviations a structure is trusted."""

from collections.abc import Sequence
from dataclasses import dataclass

from adiabat.errors import PropertyUnavailable
from adiabat.potential import Potential
from adiabat.typing import FloatArray

MOST_UNCERTAIN = 5.0
"""Times the typical error, up to which an energy or a force is trusted: of silicon structures of the sorts that were trained on
and left out of the training, one of 54 has an atom beyond it; of a crystal at 70 % of its volume the energy is at 80."""


@dataclass(frozen=True)
class Judgement:
    """Whether a structure is trusted by one measure, and why, in words."""

    trusted: bool
    why: str


@dataclass(frozen=True)
class Criterion:
    """A structure is trusted while no standard deviation is far above the typical error; None where that is not known.

    Attributes:
        energy: eV/atom: root mean square error on structures left out of the training.
        force: eV/Å: likewise, of the force vector on an atom.
    """

    energy: float | None
    force: float | None

    @classmethod
    def of(cls, potential: Potential) -> "Criterion":
        """By what a potential says of its training.

        Raises:
            PropertyUnavailable: It does not say how large its errors are.
        """
        typical = potential.typical_errors
        by_component = typical.get("forces")
        found = cls(typical.get("energy"), None if by_component is None else 3**0.5 * by_component)
        if found.energy is None and found.force is None:
            raise PropertyUnavailable(
                "this potential does not say how large its typical errors are",
                rule="a standard deviation is large or small beside the error that is typical of the training",
                mend="train it again with this version of adiabat, which stores them in its file",
            )
        return found

    @property
    def sentence(self) -> str:
        """For people."""
        known = [] if self.energy is None else [f"{1000 * self.energy:.3g} meV/atom of the energy"]
        known += [] if self.force is None else [f"{self.force:.3g} eV/Å of the force on an atom"]
        return (
            f"A structure is trusted where each standard deviation is at most {MOST_UNCERTAIN:g} times the error that is "
            f"typical of structures left out of the training: {', '.join(known)}."
        )

    def judge(
        self, energy_std_per_atom: float | None, force_std: FloatArray | None, symbols: Sequence[str]
    ) -> Judgement:
        """Whether the standard deviations are small enough; what the potential does not know is not judged.

        Args:
            energy_std_per_atom: eV.
            force_std: (n,) eV/Å, of the force vector on each atom.
            symbols: Of the n atoms.
        """
        ratios: list[tuple[float, str]] = []
        if energy_std_per_atom is not None and self.energy is not None:
            what = f"the energy is uncertain by {1000 * energy_std_per_atom:.3g} meV/atom"
            ratios.append((energy_std_per_atom / self.energy, what))
        if force_std is not None and self.force is not None:
            atom = int(force_std.argmax())
            what = f"the force on atom {atom} ({symbols[atom]}) is uncertain by {force_std[atom]:.3g} eV/Å"
            ratios.append((float(force_std[atom]) / self.force, what))
        beyond = [f"{what}, {times:.3g} times what is typical" for times, what in ratios if times > MOST_UNCERTAIN]
        if beyond:
            return Judgement(False, "; ".join(beyond))
        return Judgement(True, f"nothing is more uncertain than {max(ratios)[0]:.2g} times what is typical")

"""Labels: what a quantum-mechanical calculation says of a structure."""

from dataclasses import dataclass, field

from ase import Atoms

from adiabat.typing import FloatArray


@dataclass(frozen=True)
class Labels:
    """Reference values of one structure; None where there is none.

    Attributes:
        energy: eV, of the whole structure.
        forces: (n, 3) eV/Å.
        stress: (3, 3) eV/Å³, symmetric, positive under tension.
        hessian: (3 n, 3 n) eV/Å², symmetric: ∂²E/∂x∂x, atom by atom, xyz within.
    """

    energy: float | None = None
    forces: FloatArray | None = None
    stress: FloatArray | None = None
    hessian: FloatArray | None = None

    @property
    def any(self) -> bool:
        """Whether there is an energy, forces or a stress: second derivatives alone teach no potential."""
        return self.energy is not None or self.forces is not None or self.stress is not None


@dataclass(frozen=True)
class Labelled:
    """A structure with its labels and where they come from.

    Attributes:
        atoms: The structure.
        labels: Its reference values.
        config_type: The kind of structure, as the file says; "default" where it does not.
        group: What belongs together in a split (a trajectory, a parent structure), or None.
        place: File and index, for messages.
        level: The level of theory that the labels are of, or None where the file does not say.
    """

    atoms: Atoms
    labels: Labels = field(default_factory=Labels)
    config_type: str = "default"
    group: str | None = None
    place: str = "structure"
    level: str | None = None

    @property
    def is_isolated_atom(self) -> bool:
        """One atom without a periodic direction, or so named."""
        return len(self.atoms) == 1 and (not self.atoms.pbc.any() or self.config_type.lower() == "isolatedatom")

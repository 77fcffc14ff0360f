"""LabelKeys: under which names a file holds its labels; never guessed."""

from typing import Self

from pydantic import model_validator

from adiabat.config import Config


class LabelKeys(Config):
    """The names of labels in a file; None leaves a label unread on purpose.

    Names that ASE moves into a calculator when it reads a file (``energy``, ``forces``, ``stress``) are found there too.
    A name that is set must be in the file; the defaults may be absent.

    Attributes:
        energy: eV, of the whole structure.
        forces: eV/Å, per atom.
        stress: eV/Å³, positive under tension: 3x3, 9 numbers, or Voigt's 6 (xx yy zz yz xz xy).
        virial: eV, W = -V σ; converted to a stress where the file has no stress.
        hessian: eV/Å², ∂²E/∂x∂x, atom by atom, xyz within: (3n)x(3n), or its 9n² numbers.
        config_type: The kind of structure.
        group: What belongs together in a split.
        level: The level of theory.
    """

    energy: str | None = "REF_energy"
    forces: str | None = "REF_forces"
    stress: str | None = "REF_stress"
    virial: str | None = "REF_virial"
    hessian: str | None = "REF_hessian"
    config_type: str | None = "config_type"
    group: str | None = "group"
    level: str | None = "level_of_theory"

    @model_validator(mode="after")
    def _refuse_one_value_for_two_labels(self) -> Self:
        first: dict[str, str] = {}
        for name in ("energy", "forces", "stress", "virial", "hessian"):
            key = getattr(self, name)
            if key in first:
                raise ValueError(f"{key} is the key of both {first[key]} and {name}: set one of them to null")
            if key is not None:
                first[key] = name
        return self

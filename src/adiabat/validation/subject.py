"""Subject: what is validated, a potential or any ASE calculator, with one face."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Self, cast

import numpy as np
import torch
from ase import Atoms
from ase.calculators.calculator import BaseCalculator, PropertyNotImplementedError
from ase.stress import voigt_6_to_full_3x3_stress
from torch import Tensor

from adiabat.errors import PropertyUnavailable
from adiabat.potential import Potential, Prediction
from adiabat.simulate import Evaluator, Follower
from adiabat.system import Batch
from adiabat.typing import FloatArray, Quantity


@dataclass(frozen=True)
class Values:
    """What a subject says of one structure.

    Attributes:
        energy_ev: Of the whole structure.
        forces: (n, 3) eV/Å.
        stress: (3, 3) eV/Å³; None where it was not asked for.
    """

    energy_ev: float
    forces: FloatArray
    stress: FloatArray | None = None


@dataclass(frozen=True)
class Subject:
    """A potential or a calculator.

    Attributes:
        name: What reports call it.
        potential: None of a calculator.
        follow: Makes what atoms move under: a potential with a neighbour list of its own.
    """

    name: str
    potential: Potential | None
    follow: Callable[[], Evaluator]

    @classmethod
    def of(cls, validated: Potential | BaseCalculator, *, name: str | None = None) -> Self:
        """Of either kind."""
        if isinstance(validated, Potential):
            return cls(name or "potential", validated, lambda: Follower(validated))
        return cls(name or type(validated).__name__, None, lambda: CalculatorEvaluator(validated))

    def predict(self, batch: Batch, want: Collection[Quantity]) -> Prediction:
        """Of structures that have nothing to do with what was asked before."""
        if self.potential is None:
            return self.follow()(batch, want=want)
        own = batch.to(dtype=self.potential.dtype, device=self.potential.device)
        return self.potential(own, want=want).to(dtype=torch.float64, device="cpu")

    def energies_ev(self, structures: Sequence[Atoms]) -> FloatArray:
        """(S,) eV."""
        return cast(Tensor, self.predict(Batch.from_atoms(structures), ("energy",)).energy).numpy()

    def values(self, atoms: Atoms, *, stress: bool = False) -> Values:
        """Energy, forces, and the stress where it is asked for.

        Raises:
            PropertyUnavailable: There is none.
        """
        want: tuple[Quantity, ...] = ("energy", "forces", "stress") if stress else ("energy", "forces")
        found = self.predict(Batch.from_atoms(atoms), want)
        return Values(
            energy_ev=float(cast(Tensor, found.energy)[0]),
            forces=cast(Tensor, found.forces).numpy(),
            stress=None if found.stress is None else found.stress[0].numpy(),
        )


class CalculatorEvaluator:
    """An ASE calculator with the face of a potential.

    Attributes:
        calculator: What is asked.
    """

    def __init__(self, calculator: BaseCalculator) -> None:
        self.calculator = calculator

    def __call__(self, batch: Batch, /, *, want: Collection[Quantity]) -> Prediction:
        """Structure by structure; raises PropertyUnavailable where the calculator lacks what is wanted."""
        each = [self._one(atoms, want) for atoms in batch.to_atoms()]
        found = {name: [values[name] for values in each] for name in each[0]}
        joined = {
            name: torch.from_numpy(np.concatenate(values) if name in ("forces", "energies") else np.array(values))
            for name, values in found.items()
        }
        return Prediction(**joined)

    def _one(self, atoms: Atoms, want: Collection[Quantity]) -> dict[str, np.ndarray]:
        atoms.calc = self.calculator
        free = "free_energy" in self.calculator.implemented_properties
        found: dict[str, np.ndarray] = {}
        for name in want:
            try:
                if name == "energy":
                    found[name] = np.array(atoms.get_potential_energy(force_consistent=free))
                elif name == "energies":
                    found[name] = np.asarray(atoms.get_potential_energies())
                elif name == "forces":
                    found[name] = atoms.get_forces(apply_constraint=False)
                elif name == "stress":
                    found[name] = voigt_6_to_full_3x3_stress(atoms.get_stress(apply_constraint=False))
                else:
                    raise PropertyNotImplementedError(name)
            except PropertyNotImplementedError as error:
                raise PropertyUnavailable(
                    f"{name} was asked for of {type(self.calculator).__name__}",
                    rule="a calculator gives what it implements",
                    mend="leave the check out that needs it",
                ) from error
        return found

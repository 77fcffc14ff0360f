"""The bridge to ASE: a potential as a calculator."""

from collections.abc import Sequence
from typing import Any, ClassVar, cast

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, PropertyNotImplementedError, all_changes
from ase.stress import full_3x3_to_voigt_6_stress
from torch import Tensor

from adiabat.errors import PropertyUnavailable
from adiabat.neighbors import SkinList
from adiabat.potential.potential import Potential
from adiabat.system import Batch
from adiabat.typing import FloatArray, Quantity


class StressUnavailable(PropertyUnavailable, PropertyNotImplementedError):
    """A structure has no stress: our error, and the one by which ASE knows that it must do without."""


class AdiabatCalculator(Calculator):
    """A potential as an ASE calculator: energy, free_energy, energies, forces, stress (Voigt, ASE's sign and order).

    All that a structure has is computed at once, and kept until the structure changes, as ASE does. The neighbour list is
    kept too, with a skin, while it serves: whatever changes (positions, cell, periodic directions, species), none is missed.

    Args:
        potential: The potential.
    """

    implemented_properties: ClassVar[list[str]] = ["energy", "free_energy", "energies", "forces", "stress"]
    ignored_changes: ClassVar[set[str]] = {"initial_charges", "initial_magmoms"}

    def __init__(self, potential: Potential) -> None:
        super().__init__()
        self.potential = potential
        self._neighbors = SkinList(potential.cutoff)

    def _get_name(self) -> str:
        return "adiabat"

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = tuple(all_changes),
    ) -> None:
        """Evaluate the structure; ASE calls this.

        Raises:
            StressUnavailable: The stress was asked for of a structure without three periodic directions and a volume. It is
                a PropertyUnavailable and ASE's PropertyNotImplementedError.
            AdiabatError: What the potential has against the structure.
        """
        self.results = {}
        super().calculate(atoms, list(properties), list(system_changes))
        atoms = cast(Atoms, self.atoms)
        has_stress = bool(atoms.pbc.all()) and atoms.cell.volume > 0
        if "stress" in properties and not has_stress:
            raise StressUnavailable(
                f"the structure is periodic along {atoms.pbc.tolist()}, with the volume {atoms.cell.volume:g} Å³",
                place="stress",
                rule="stress is defined with three periodic directions and a volume",
                mend="ask for energy and forces only, or give the structure a periodic cell",
            )
        want: tuple[Quantity, ...] = ("energy", "energies", "forces")
        graph = self._neighbors.graph(self._batch(atoms))
        found = self.potential(graph, want=(*want, "stress") if has_stress else want)
        results: dict[str, Any] = {name: _array(getattr(found, name)) for name in ("energies", "forces")}
        results["energy"] = results["free_energy"] = float(cast(Tensor, found.energy)[0])
        if found.stress is not None:
            results["stress"] = full_3x3_to_voigt_6_stress(_array(found.stress[0]))
        self.results = results

    def _batch(self, atoms: Atoms) -> Batch:
        return Batch.from_atoms(atoms, dtype=self.potential.dtype, device=self.potential.device)


def _array(tensor: Tensor) -> FloatArray:
    return tensor.detach().cpu().numpy().astype(np.float64)

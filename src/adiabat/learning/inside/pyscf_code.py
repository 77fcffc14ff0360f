"""Density functional theory of molecules by PySCF (Q. Sun et al., J. Chem. Phys. 153, 024109 (2020))."""

from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Any, ClassVar

from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.units import Bohr, Hartree

DEFAULTS = {
    "xc": "PBE",
    "basis": "def2-SVP",
    "charge": 0,
    "unpaired_electrons": None,
    "grid_level": 4,
    "max_iterations": 100,
}
"""Without a number of unpaired electrons: none, or one where the number of electrons is odd."""


def describe(settings: dict[str, Any]) -> dict[str, Any]:
    """Code, version and all settings."""
    import_module("pyscf")
    complete = import_module("settings").completed(settings, DEFAULTS)
    return {"code": "pyscf", "version": version("pyscf"), "settings": complete}


class KohnSham(Calculator):
    """Energy and forces of a molecule.

    Args:
        settings: In full.
    """

    implemented_properties: ClassVar[list[str]] = ["energy", "free_energy", "forces"]

    def __init__(self, settings: dict[str, Any]) -> None:
        super().__init__()
        self.settings = settings
        self.is_converged = False

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = tuple(all_changes),
    ) -> None:
        """ASE calls this."""
        super().calculate(atoms, list(properties), list(system_changes))
        if self.atoms is None:
            raise ValueError("a calculator without a structure")
        method = self._method(self.atoms)
        energy = method.kernel()
        self.is_converged = bool(method.converged)
        gradient = method.nuc_grad_method()
        gradient.grid_response = True  # without it forces do not sum to zero
        energy_ev = float(energy) * Hartree  # no smearing: one energy
        self.results = {"energy": energy_ev, "free_energy": energy_ev, "forces": -gradient.kernel() * Hartree / Bohr}

    def _method(self, atoms: Atoms) -> Any:
        gto, dft = import_module("pyscf.gto"), import_module("pyscf.dft")
        electrons = int(atoms.numbers.sum()) - self.settings["charge"]
        unpaired = self.settings["unpaired_electrons"]
        molecule = gto.M(
            atom=[(symbol, position) for symbol, position in zip(atoms.symbols, atoms.positions.tolist(), strict=True)],
            basis=self.settings["basis"],
            charge=self.settings["charge"],
            spin=electrons % 2 if unpaired is None else unpaired,
            unit="Angstrom",
            verbose=0,
        )
        method = (dft.UKS if molecule.spin else dft.RKS)(molecule, xc=self.settings["xc"])
        method.grids.level = self.settings["grid_level"]
        method.max_cycle = self.settings["max_iterations"]
        method.conv_tol = 1e-9
        return method


def calculator(settings: dict[str, Any], atoms: Atoms) -> KohnSham:
    """For one molecule.

    Raises:
        ValueError: It is periodic.
    """
    if atoms.pbc.any():
        raise ValueError(
            "this oracle is for molecules, and the structure is periodic; gpaw and tblite take periodic ones"
        )
    return KohnSham(settings)


def converged(calculator: KohnSham) -> bool:
    """As the code says."""
    return calculator.is_converged

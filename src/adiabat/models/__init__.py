"""Per-atom energies, one module or folder per kind."""

from adiabat.models.isolated_atoms import IsolatedAtoms

__all__ = ["IsolatedAtoms"]

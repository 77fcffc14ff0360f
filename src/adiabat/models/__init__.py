"""Per-atom energies, one module or folder per kind."""

from adiabat.models.ace import LinearACE
from adiabat.models.isolated_atoms import IsolatedAtoms
from adiabat.models.mean import Mean
from adiabat.models.messages import MessagePassing, MessagesConfig

__all__ = ["IsolatedAtoms", "LinearACE", "Mean", "MessagePassing", "MessagesConfig"]

"""A structure as JSON values: what is sent to an oracle and what stands in the ledger."""

from typing import Any

from ase import Atoms


def to_json(atoms: Atoms) -> dict[str, Any]:
    """Species, positions (Å), cell (Å) and periodicity, every number to the last bit."""
    return {
        "numbers": atoms.numbers.tolist(),
        "positions": atoms.positions.tolist(),
        "cell": atoms.cell.array.tolist(),
        "pbc": atoms.pbc.tolist(),
    }


def from_json(values: dict[str, Any]) -> Atoms:
    """The inverse."""
    return Atoms(values["numbers"], positions=values["positions"], cell=values["cell"], pbc=values["pbc"])

"""Plane-wave density functional theory of solids by GPAW (J. J. Mortensen et al., J. Chem. Phys. 160, 092503 (2024))."""

from importlib import import_module
from importlib.metadata import version
from typing import Any

import numpy as np
from ase import Atoms

DEFAULTS = {
    "xc": "PBE",
    "cutoff_ev": 400.0,
    "kpoint_spacing_per_angstrom": 0.2,
    "smearing_ev": 0.1,
    "max_iterations": 200,
}
"""The spacing holds the factor 2π; smearing is Fermi-Dirac, and the energy stored is the free one."""
BOX_ANGSTROM = (9.0, 9.3, 9.7)
"""Of an isolated atom: unlike sides, so that an open shell is not held open by symmetry."""
ATOM_SMEARING_EV = 0.001
"""An open shell is degenerate: with the smearing of a solid its free energy would hold entropy."""


def describe(settings: dict[str, Any]) -> dict[str, Any]:
    """Code, version and all settings."""
    import_module("gpaw")
    complete = import_module("settings").completed(settings, DEFAULTS)
    return {"code": "gpaw", "version": version("gpaw"), "settings": complete}


def calculator(settings: dict[str, Any], atoms: Atoms) -> Any:
    """For one structure; a single atom without a cell is put into a box, with the spins of an atom.

    Raises:
        ValueError: It is neither that nor periodic in three directions.
    """
    gpaw = import_module("gpaw")
    is_atom = len(atoms) == 1 and not atoms.pbc.any()
    if is_atom:
        atoms.set_cell(BOX_ANGSTROM)
        atoms.center()
        atoms.set_pbc(True)
    if not all(atoms.pbc):
        raise ValueError(
            "plane waves are for structures that are periodic in three directions; put vacuum around others"
        )
    smearing_ev = ATOM_SMEARING_EV if is_atom else settings["smearing_ev"]
    return gpaw.GPAW(
        mode=gpaw.PW(settings["cutoff_ev"]),
        xc=settings["xc"],
        txt=None,
        hund=is_atom,
        kpts={"size": (1, 1, 1) if is_atom else _mesh(atoms, settings["kpoint_spacing_per_angstrom"])},
        occupations=gpaw.FermiDirac(smearing_ev, fixmagmom=is_atom),
        convergence={"density": 1e-5},
        maxiter=settings["max_iterations"],
    )


def converged(calculator: Any) -> bool:
    """GPAW raises where it does not converge."""
    return True


def _mesh(atoms: Atoms, spacing: float) -> tuple[int, ...]:
    reciprocal = 2 * np.pi * np.linalg.norm(np.linalg.inv(atoms.cell.array).T, axis=1)
    return tuple(int(n) for n in np.ceil(reciprocal / spacing - 1e-9))

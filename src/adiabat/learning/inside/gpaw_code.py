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


def describe(settings: dict[str, Any]) -> dict[str, Any]:
    """Code, version and all settings."""
    import_module("gpaw")
    complete = import_module("settings").completed(settings, DEFAULTS)
    return {"code": "gpaw", "version": version("gpaw"), "settings": complete}


def calculator(settings: dict[str, Any], atoms: Atoms) -> Any:
    """For one structure.

    Raises:
        ValueError: It is not periodic in three directions.
    """
    if not atoms.pbc.all():
        raise ValueError(
            "plane waves are for structures that are periodic in three directions; put vacuum around others"
        )
    gpaw = import_module("gpaw")
    return gpaw.GPAW(
        mode=gpaw.PW(settings["cutoff_ev"]),
        xc=settings["xc"],
        txt=None,
        kpts={"size": _mesh(atoms, settings["kpoint_spacing_per_angstrom"])},
        occupations=gpaw.FermiDirac(settings["smearing_ev"]),
        convergence={"density": 1e-5},
        maxiter=settings["max_iterations"],
    )


def converged(calculator: Any) -> bool:
    """GPAW raises where it does not converge."""
    return bool(calculator.scf.converged)


def _mesh(atoms: Atoms, spacing: float) -> tuple[int, ...]:
    reciprocal = 2 * np.pi * np.linalg.norm(np.linalg.inv(atoms.cell.array).T, axis=1)
    return tuple(int(n) for n in np.ceil(reciprocal / spacing - 1e-9))

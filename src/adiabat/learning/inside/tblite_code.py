"""Tight binding by tblite: GFN1-xTB (S. Grimme et al., J. Chem. Theory Comput. 13, 1989 (2017)), for any system, in seconds."""

from importlib import import_module
from importlib.metadata import version
from typing import Any

from ase import Atoms

DEFAULTS = {
    "method": "GFN1-xTB",
    "accuracy": 0.1,
    "electronic_temperature_k": 300.0,
    "charge": 0.0,
    "max_iterations": 250,
}


def describe(settings: dict[str, Any]) -> dict[str, Any]:
    """Code, version and all settings."""
    import_module("tblite.ase")
    complete = import_module("settings").completed(settings, DEFAULTS)
    return {"code": "tblite", "version": version("tblite"), "settings": complete}


def calculator(settings: dict[str, Any], atoms: Atoms) -> Any:
    """For one structure."""
    return import_module("tblite.ase").TBLite(
        method=settings["method"],
        accuracy=settings["accuracy"],
        electronic_temperature=settings["electronic_temperature_k"],
        charge=settings["charge"],
        max_iterations=settings["max_iterations"],
        verbosity=0,
    )


def converged(calculator: Any) -> bool:
    """Tblite raises where it does not converge."""
    return True

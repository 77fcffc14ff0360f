"""Any ASE calculator, by the import path of what makes it: VASP, Quantum ESPRESSO, CP2K, ORCA ..."""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ase import Atoms

_made: dict[str, Any] = {}


def describe(settings: dict[str, Any]) -> dict[str, Any]:
    """The import path and the settings that the factory is called with.

    Raises:
        ValueError: The path is not module:factory, or the module has no such factory.
    """
    path = str(settings["factory"])
    name, colon, factory = path.partition(":")
    if not colon:
        raise ValueError(f"'{path}' is no import path; write module:factory")
    module = import_module(name)
    if not hasattr(module, factory):
        raise ValueError(f"the module '{name}' has no '{factory}'")
    _made["factory"] = getattr(module, factory)
    return {"code": path, "version": _version(name), "settings": dict(settings)}


def calculator(settings: dict[str, Any], atoms: Atoms) -> Any:
    """For one structure."""
    return _made["factory"](**{name: value for name, value in settings.items() if name != "factory"})


def converged(calculator: Any) -> bool | None:
    """As the calculator says; None where it does not."""
    said = getattr(calculator, "converged", None)
    return None if said is None or callable(said) else bool(said)


def _version(module: str) -> str:
    """Of the package that a module is in; a module of the user's own has none."""
    try:
        return version(module.partition(".")[0])
    except PackageNotFoundError:
        return "unknown"

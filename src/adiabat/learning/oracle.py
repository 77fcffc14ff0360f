"""Oracles by name: which code, where it runs, how it is installed."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from adiabat.errors import ConfigurationError

INSIDE = Path(__file__).parent / "inside"
CUBIC, LINEAR = 3.0, 1.0
"""How time grows with atoms: of a code that nothing is known of, as diagonalisation does; of a potential."""


@dataclass(frozen=True)
class Known:
    """A code that comes with what it takes to use it.

    Attributes:
        module: In `inside/`.
        install: The command that installs it.
        use: What for.
        scaling: Time grows about with this power of the number of atoms.
        quick: Settings with which a tiny structure takes seconds.
    """

    module: str
    install: str
    use: str
    scaling: float
    quick: dict[str, Any] = field(default_factory=dict)


KNOWN = {
    "tblite": Known("tblite_code", "pip install tblite", "any system, in seconds (GFN1-xTB)", 2.0),
    "pyscf": Known("pyscf_code", "pip install pyscf", "molecules (PBE/def2-SVP)", 2.5),
    "gpaw": Known(
        "gpaw_code",
        "CC=g++ pip install gpaw gpaw-data",
        "solids (PBE, plane waves)",
        2.5,
        {"cutoff_ev": 300.0, "kpoint_spacing_per_angstrom": 0.8},
    ),
}


@dataclass(frozen=True)
class Oracle:
    """Which code labels, and how.

    Attributes:
        name: As the user calls it.
        module: In `inside/`.
        settings: Those that are not the defaults.
        python: Of the environment that the code is installed in.
    """

    name: str
    module: str
    settings: dict[str, Any] = field(default_factory=dict)
    python: str = sys.executable

    @classmethod
    def named(cls, name: str, *, settings: dict[str, Any] | None = None, python: str | None = None) -> Self:
        """By a name of `KNOWN`, module:factory of an ASE calculator, or a potential file.

        Raises:
            ConfigurationError: None of these.
        """
        settings, python = dict(settings or {}), python or sys.executable
        if name in KNOWN:
            return cls(name, KNOWN[name].module, settings, python)
        if Path(name).suffix == ".adiabat":
            return cls(name, "potential_code", {"file": str(Path(name).absolute()), **settings}, python)
        if ":" in name:
            return cls(name, "factory_code", {"factory": name, **settings}, python)
        raise ConfigurationError(
            f"there is no oracle '{name}'",
            place="--oracle",
            rule=f"an oracle is {', '.join(KNOWN)}, module:factory of an ASE calculator, or a potential file (.adiabat)",
            mend="name one of these; `adiabat doctor` says which of them are installed",
        )

    @property
    def scaling(self) -> float:
        """Time is assumed to grow with this power of the number of atoms."""
        if self.name in KNOWN:
            return KNOWN[self.name].scaling
        return LINEAR if self.module == "potential_code" else CUBIC

    @property
    def mend(self) -> str:
        """What to do where it does not start."""
        if self.name in KNOWN:
            return f"{KNOWN[self.name].install}; in an environment of its own it is found by --oracle-python"
        return "see that it can be imported in this environment, or name another by --oracle-python"

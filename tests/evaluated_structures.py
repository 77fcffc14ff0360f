"""Labelled rare-gas structures whose labels are off by known amounts, so that all errors are known in closed form."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from analytic_models import rare_gas_potential
from ase import Atoms
from ase.build import bulk

from adiabat.system import Labelled, Labels

POTENTIAL = rare_gas_potential()


def rattled(number: int, *, repeat: int = 2, symbol: str = "Ar") -> Atoms:
    """A crystal (of 8 atoms by default) with displaced atoms, different for each number."""
    atoms = bulk(symbol, "fcc", a=5.4) * (repeat, repeat, repeat)
    atoms.rattle(0.1, seed=number)
    return atoms


def labelled(
    atoms: Atoms,
    *,
    energy_off: float | None = 0.0,
    forces_off: float | None = 0.0,
    stress_off: float | None = 0.0,
    config_type: str = "default",
    place: str = "memory, structure 0",
) -> Labelled:
    """A structure whose labels are the potential's values less the given amounts; None leaves a label out.

    `energy_off` is eV of the whole structure, `forces_off` eV/Å of each component, `stress_off` eV/Å³ of each component.
    """
    wanted = ("energy", "forces") + (("stress",) if stress_off is not None else ())
    exact = POTENTIAL(atoms, want=wanted)
    assert exact.energy is not None
    assert exact.forces is not None
    stress = exact.stress[0].numpy() - stress_off if exact.stress is not None and stress_off is not None else None
    labels = Labels(
        energy=None if energy_off is None else float(exact.energy[0]) - energy_off,
        forces=None if forces_off is None else exact.forces.numpy() - forces_off,
        stress=stress,
    )
    return Labelled(atoms, labels, config_type=config_type, place=place)


def numbered(energy_offs: Sequence[float], **kwargs: Any) -> list[Labelled]:
    """One structure for each energy offset."""
    return [
        labelled(rattled(number), energy_off=off, place=f"memory, structure {number}", **kwargs)
        for number, off in enumerate(energy_offs)
    ]


def typed(config_types: Sequence[str]) -> list[Labelled]:
    """One structure for each config_type, with errors drawn at random (seeded)."""
    rng = np.random.default_rng(7)
    return [
        labelled(
            rattled(number),
            energy_off=float(rng.normal(scale=0.01)),
            forces_off=float(rng.normal(scale=0.02)),
            stress_off=float(rng.normal(scale=0.002)),
            config_type=config_type,
            place=f"memory, structure {number}",
        )
        for number, config_type in enumerate(config_types)
    ]

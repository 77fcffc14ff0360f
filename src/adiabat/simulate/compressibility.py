"""How soft a structure is: what the barostat's time constant is made right by."""

from ase import Atoms

from adiabat.errors import AdiabatError, ConfigurationError
from adiabat.potential import Potential
from adiabat.units import GPA_PER_EV_PER_CUBIC_ANGSTROM

STRAIN = 2e-3
"""Of each length, either way."""
RULE = "compressibility_per_gpa is left out where the potential gives one at the start structure"


def compressibility_per_gpa(atoms: Atoms, potential: Potential) -> float:
    """1 / B with B = -V dP/dV, from the pressures of the strained structure with its atoms carried along.

    An estimate, rounded to two digits: a gas, or a crystal that is far from its volume, has none that would do.

    Raises:
        ConfigurationError: The structure becomes no stiffer when it is squeezed, or has no pressure.
    """
    smaller, larger = (_pressure(atoms, potential, scale) for scale in (1 - STRAIN, 1 + STRAIN))
    modulus = (smaller - larger) / (6 * STRAIN)
    if not modulus > 0:
        raise ConfigurationError(
            f"the start structure has the bulk modulus {modulus:.3g} GPa",
            place="compressibility_per_gpa",
            rule=RULE,
            mend="give an estimate: 0.01 for a hard solid, 0.5 for a liquid, one over the pressure for a gas",
        )
    return float(f"{1 / modulus:.2g}")


def _pressure(atoms: Atoms, potential: Potential, scale: float) -> float:
    """GPa."""
    strained = atoms.copy()
    strained.set_cell(scale * atoms.cell.array, scale_atoms=True)
    try:
        stress = potential(strained, want=("stress",)).stress
    except AdiabatError as error:
        error.place = error.place or "start structure"
        raise
    if stress is None:
        raise RuntimeError("a stress was asked for, and did not come")
    return -float(stress[0].diagonal().mean()) * GPA_PER_EV_PER_CUBIC_ANGSTROM

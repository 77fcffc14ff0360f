"""Units: eV, Å, amu, e, fs, K inside; what the outside reads is converted here, and only here.

Values: CODATA 2018 (the SI's exact constants where there are any).
"""

BOLTZMANN_EV_PER_K = 8.617333262e-5
"""k_B in eV/K."""

GPA_PER_EV_PER_CUBIC_ANGSTROM = 160.2176634
"""1 eV/Å³ in GPa."""

JOULE_PER_SQUARE_METER_PER_EV_PER_SQUARE_ANGSTROM = 16.02176634
"""1 eV/Å² in J/m²."""

COULOMB_EV_ANGSTROM = 14.399645
"""e²/(4πε₀) in eV Å, with the digits that LAMMPS's metal units use, so that exports agree to rounding."""

HARTREE_EV = 27.211386245988
"""1 Hartree in eV."""

BOHR_ANGSTROM = 0.529177210903
"""1 Bohr in Å."""

KCAL_PER_MOL_PER_EV = 23.060547830619
"""1 eV in kcal/mol."""

KJ_PER_MOL_PER_EV = 96.48533212331
"""1 eV in kJ/mol."""

ACCELERATION_PER_EV_PER_ANGSTROM_PER_AMU = 9.648533212331e-3
"""Acceleration, in Å/fs², of 1 amu under a force of 1 eV/Å."""

KILOGRAM_PER_CUBIC_METER_PER_AMU_PER_CUBIC_ANGSTROM = 1660.5390666
"""1 amu/Å³ in kg/m³."""

PLANCK_EV_PER_THZ = 4.135667696e-3
"""h times 1 THz, in eV."""

METER_PER_SECOND_PER_ANGSTROM_THZ = 100.0
"""1 Å THz in m/s."""

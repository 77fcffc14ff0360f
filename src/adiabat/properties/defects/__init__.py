"""Point defects of crystals."""

from adiabat.properties.defects.chemical_potentials import chemical_potentials, elemental_crystal
from adiabat.properties.defects.vacancies import Vacancies, vacancies

__all__ = ["Vacancies", "chemical_potentials", "elemental_crystal", "vacancies"]

"""Point defects of crystals."""

from adiabat.properties.defects.alloy_vacancies import AlloyVacancies, alloy_vacancies
from adiabat.properties.defects.chemical_potentials import chemical_potentials, elemental_crystal
from adiabat.properties.defects.interstitials import Hole, Interstitials, distinct_holes, interstitials
from adiabat.properties.defects.vacancies import Vacancies, vacancies

__all__ = [
    "AlloyVacancies",
    "Hole",
    "Interstitials",
    "Vacancies",
    "alloy_vacancies",
    "chemical_potentials",
    "distinct_holes",
    "elemental_crystal",
    "interstitials",
    "vacancies",
]

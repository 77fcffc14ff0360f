"""Point defects of crystals."""

from adiabat.properties.defects.alloy_vacancies import AlloyVacancies, alloy_vacancies
from adiabat.properties.defects.antisites import Antisites, antisites
from adiabat.properties.defects.chemical_potentials import chemical_potentials, elemental_crystal
from adiabat.properties.defects.interstitials import Hole, Interstitials, distinct_holes, interstitials
from adiabat.properties.defects.migrations import Migrations, migrations
from adiabat.properties.defects.vacancies import Vacancies, vacancies

__all__ = [
    "AlloyVacancies",
    "Antisites",
    "Hole",
    "Interstitials",
    "Migrations",
    "Vacancies",
    "alloy_vacancies",
    "antisites",
    "chemical_potentials",
    "distinct_holes",
    "elemental_crystal",
    "interstitials",
    "migrations",
    "vacancies",
]

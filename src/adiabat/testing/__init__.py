"""Contracts that models, potentials, integrators and ASE calculators must meet: for our tests and for those of others."""

from adiabat.testing.ase_calculator import check_ase_calculator
from adiabat.testing.calculator_subject import CalculatorTolerances
from adiabat.testing.integrator import check_integrator
from adiabat.testing.model import check_energy_model
from adiabat.testing.no_holes import check_no_holes
from adiabat.testing.potential import check_potential
from adiabat.testing.violation import ContractViolation

__all__ = [
    "CalculatorTolerances",
    "ContractViolation",
    "check_ase_calculator",
    "check_energy_model",
    "check_integrator",
    "check_no_holes",
    "check_potential",
]

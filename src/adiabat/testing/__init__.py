"""Contracts that models, potentials and integrators must meet: for our tests and for those of others."""

from adiabat.testing.model import check_energy_model
from adiabat.testing.potential import check_potential
from adiabat.testing.violation import ContractViolation

__all__ = ["ContractViolation", "check_energy_model", "check_potential"]

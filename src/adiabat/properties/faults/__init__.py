"""Generalised stacking faults: the energy of one half of a crystal slid over the other."""

from adiabat.properties.faults.line import StackingFaults, stacking_faults

__all__ = ["StackingFaults", "stacking_faults"]

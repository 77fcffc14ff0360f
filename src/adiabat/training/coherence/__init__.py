"""Whether energies, forces and stresses are of one surface: each compared with a fit to forces alone."""

from adiabat.training.coherence.check import COHERENCE_FINDINGS, check_coherence

__all__ = ["COHERENCE_FINDINGS", "check_coherence"]

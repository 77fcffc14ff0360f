"""How far a measured number may be off by chance: the level of each statistical test, so that all together keep theirs."""

from scipy.special import ndtri

from adiabat.validation.check import Case

KINETIC_TESTS, ENERGY_TESTS, VOLUME_TESTS = 3, 1, 2
"""Mean, variance and distribution of the kinetic energy; the drift in nve; pressure and volume in npt."""


def level(case: Case) -> float:
    """How often one statistical test of a sound potential may fail: Bonferroni's share of what all may together."""
    species = len(set(case.start.numbers.tolist()))
    partition = species if species > 1 else 0
    return case.config.limits.false_alarms / (KINETIC_TESTS + ENERGY_TESTS + VOLUME_TESTS + partition)


def critical(case: Case) -> float:
    """Standard errors that a normal number may be off by, either way."""
    return float(ndtri(1 - level(case) / 2))

"""Constant temperature: the kinetic energy is distributed as theory has it, and shared by all species alike.

Momenta of the canonical ensemble are independent normal numbers whatever the potential, so that the kinetic energy of f degrees of
freedom has the gamma distribution of shape f/2 and scale k_B T. Forces that are no gradient heat or cool the atoms; a time step
that is too long shifts the energy at order h². For BAOAB (Leimkuhler and Matthews, Appl. Math. Res. Express 2013, 34) half a kick
after the end of a step this error is absent in a harmonic well (the variance (1 - ω²h²/4) k_B T / m of the end of a step becomes
k_B T / m): the samples are taken there, and what is left is of order h⁴, or from anharmonicity.
"""

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from ase.data import chemical_symbols

from adiabat.results import Bars, Figure, Line
from adiabat.simulate import State
from adiabat.simulate.integrator import kicked
from adiabat.simulate.state import kinetic_energy_ev
from adiabat.typing import FloatArray
from adiabat.units import BOLTZMANN_EV_PER_K
from adiabat.validation.check import Case, CheckResult
from adiabat.validation.dynamics import FRICTION_PER_FS, Motion, langevin, steps_of, timestep_fs
from adiabat.validation.levels import critical, level
from adiabat.validation.thinning import effective_count, thinned

SAMPLE_FS = 25.0
"""A quarter of the thermostat's relaxation time, from sample to sample."""
FEWEST = 20
"""Samples, of all replicas together, from which a distribution is tested."""


class KineticEnergyCheck:
    """NVT by BAOAB, several replicas side by side."""

    name: ClassVar[str] = "kinetic energy"

    def evaluations(self, case: Case) -> int:
        """Of all replicas."""
        return case.config.replicas * (steps_of(case.config.settle_ps, case) + _every(case) * _samples(case))

    def run(self, case: Case) -> Sequence[CheckResult]:
        """Mean, variance and distribution; the temperatures of the species."""
        temperature_k, replicas = case.temperature_k, case.config.replicas
        motion = Motion.begun(
            case, langevin(case, temperature_k), replicas=replicas, temperature_k=2 * temperature_k, seed=2
        )
        motion.advance(steps_of(case.config.settle_ps, case))
        species = sorted(set(case.start.numbers.tolist()))
        kinetic = np.array(
            [_kinetic_by_species(state, species, case) for state in motion.every(_every(case), _samples(case))]
        )
        freedom = np.array([3.0 * (case.start.numbers == number).sum() for number in species])
        shares = (kinetic / freedom).transpose(2, 0, 1)
        return [
            *_distribution(case, kinetic.sum(axis=-1).T, float(freedom.sum())),
            *_partition(case, shares, freedom, species),
        ]


def _every(case: Case) -> int:
    return max(1, round(SAMPLE_FS / timestep_fs(case)))


def _samples(case: Case) -> int:
    return max(2, steps_of(case.config.nvt_ps, case) // _every(case))


def _kinetic_by_species(state: State, species: list[int], case: Case) -> FloatArray:
    """(S, species) eV, half a kick after this instant."""
    velocities = kicked(state.velocities, state, by_fs=0.5 * timestep_fs(case))
    numbers = state.batch.numbers
    parts = [
        kinetic_energy_ev(state.batch, state.masses * (numbers == number), velocities).numpy() for number in species
    ]
    return np.stack(parts, axis=-1)


def _inefficiency(case: Case) -> float:
    """Of the kinetic energy: 1 / (1 - exp(-γΔ)), in every potential of which half of the energy is in vibrations (`LangevinBAOAB`)."""
    return -1 / math.expm1(-FRICTION_PER_FS * _every(case) * timestep_fs(case))


def _distribution(case: Case, kinetic: FloatArray, freedom: float) -> list[CheckResult]:
    """Of (replicas, samples) in eV."""
    scale = BOLTZMANN_EV_PER_K * case.temperature_k
    reduced = kinetic / scale
    theory = _inefficiency(case)
    count = effective_count(reduced, inefficiency=theory)
    chosen, names = thinned(reduced, inefficiency=theory), ("mean", "variance", "distribution")
    names = tuple(f"nvt: {name} of the kinetic energy" for name in names)
    if len(chosen) < FEWEST:
        why = (
            f"not made: {len(chosen)} independent samples, it takes {FEWEST}; ask for a longer nvt_ps or more replicas"
        )
        return [CheckResult(name, None, None, None, "", why) for name in names]
    return [
        _mean(case, reduced, freedom, count, names[0]),
        _variance(case, reduced, freedom, names[1]),
        _shape(case, chosen, freedom, names[2]),
    ]


def _mean(case: Case, reduced: FloatArray, freedom: float, count: float, name: str) -> CheckResult:
    """With the error that theory gives to so many independent samples."""
    found = 2 * float(reduced.mean()) / freedom - 1
    limit = critical(case) * math.sqrt(2 / freedom / count)
    reason = (
        f"the temperature is {case.temperature_k * (1 + found):.4g} K instead of {case.temperature_k:g} K, {100 * found:+.2g} %; "
        f"{100 * limit:.2g} % can be chance ({count:.0f} independent samples), {200 * limit:.2g} % would be seen."
    )
    return CheckResult(name, abs(found) <= limit, abs(found), limit, "", reason)


def _variance(case: Case, reduced: FloatArray, freedom: float, name: str) -> CheckResult:
    """About the mean of theory: of squares, the excess of a gamma distribution is in their error."""
    squares = (reduced - freedom / 2) ** 2 / (freedom / 2)
    count = effective_count(squares)
    found = float(squares.mean()) - 1
    limit = critical(case) * math.sqrt((2 + 12 / freedom) / count)
    reason = (
        f"{1 + found:.3g} times that of theory; {limit:.2g} more or less can be chance ({count:.0f} independent samples), "
        f"{2 * limit:.2g} would be seen."
    )
    return CheckResult(name, abs(found) <= limit, abs(found), limit, "", reason)


def _shape(case: Case, chosen: FloatArray, freedom: float, name: str) -> CheckResult:
    from scipy import stats

    expected = stats.gamma(freedom / 2)
    found = float(stats.kstest(chosen, expected.cdf).statistic)
    limit = float(stats.kstwo.ppf(1 - level(case), len(chosen)))
    edges = np.linspace(chosen.min(), chosen.max(), 25)
    fine = np.linspace(edges[0], edges[-1], 200)
    heights = np.histogram(chosen, edges, density=True)[0]
    figure = Figure(
        name="validate-kinetic",
        title="Kinetic energy in nvt",
        x_label="kinetic energy (k_B T)",
        y_label="density",
        marks=(Bars(edges, heights, "samples"), Line(fine, stats.gamma.pdf(fine, freedom / 2), "theory")),
    )
    reason = (
        f"Kolmogorov and Smirnov's distance is {found:.3f} over {len(chosen)} independent samples; up to {limit:.3f} is chance at "
        f"the level of {level(case):.2g}."
    )
    return CheckResult(name, found <= limit, found, limit, "", reason, (figure,))


def _partition(case: Case, shares: FloatArray, freedom: FloatArray, species: list[int]) -> list[CheckResult]:
    """Of the kinetic energies per degree of freedom, (species, samples, replicas) in eV."""
    if len(species) < 2:
        return []
    results = []
    for one, own, number in zip(shares, freedom.tolist(), species, strict=True):
        found = 2 * float(one.mean()) / (BOLTZMANN_EV_PER_K * case.temperature_k) - 1
        limit = critical(case) * math.sqrt(2 / own / effective_count(one.T, inefficiency=_inefficiency(case)))
        reason = (
            f"{case.temperature_k * (1 + found):.4g} K, {100 * found:+.2g} %; {100 * limit:.2g} % can be chance, "
            f"{200 * limit:.2g} % would be seen."
        )
        name = f"nvt: temperature of {chemical_symbols[number]}"
        results.append(CheckResult(name, abs(found) <= limit, abs(found), limit, "", reason))
    return results

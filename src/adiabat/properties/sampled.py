"""Averages over independent chains, with the error of the sampling and that of the potential apart."""

from collections.abc import Mapping

import numpy as np
from scipy.special import ndtr, stdtrit

from adiabat.errors import ConfigurationError
from adiabat.potential import Potential
from adiabat.properties.arrays import in_double
from adiabat.properties.estimate import Estimate, unit_of
from adiabat.properties.measured import NOT_ASKED_FOR, WITHOUT_POSTERIOR, Measured, R
from adiabat.properties.parts import committees_by_part, require_members_known
from adiabat.properties.propagate import Propagated
from adiabat.runs import track
from adiabat.sampling import Samples
from adiabat.typing import FloatArray
from adiabat.units import BOLTZMANN_EV_PER_K

DRIFTING = 5.0
"""Standard errors of a drift beyond which chains are not in equilibrium: one of a hundred sets of four chains shows so much by chance."""

FEWEST_CHAINS = 4
"""From fewer, the spread between them says little of their mean's error."""


def require_chains(chains: int) -> None:
    """Refuse so few chains that their spread is no error bar; raises ConfigurationError."""
    if chains < FEWEST_CHAINS:
        raise ConfigurationError(
            f"{chains} chains were asked for",
            place="Monte Carlo",
            rule=f"sampling errors are taken from the spread between {FEWEST_CHAINS} independent chains or more",
            mend="ask for 8",
        )


def chain_average(series: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Means of (T, S, ...), and their standard errors from the spread between the S chains, by Student's t for so few."""
    of_chains, chains = series.mean(0), series.shape[1]
    wider = float(stdtrit(chains - 1, ndtr(1.0)))
    return of_chains.mean(0), wider * of_chains.std(0, ddof=1) / np.sqrt(chains)


def drift_of(series: FloatArray) -> tuple[float, float]:
    """Of (T, S), second half less first half, and its standard error from the spread between the chains; zeros of one frame."""
    half = len(series) // 2
    if not half:
        return 0.0, 0.0
    drift, error = chain_average((series[-half:].mean(0) - series[:half].mean(0))[None])
    return float(drift), float(error)


def member_energies_of(
    samples: Samples, potential: Potential, *, members: int | None, quiet: bool = False
) -> Mapping[str, FloatArray]:
    """By part of the uncertainty, (K, T, S) eV of its members in all frames."""
    found = {}
    for part, committee in committees_by_part(potential, members, None).items():
        rows = []
        for frame in track(samples.frames, f"energies of {part} members", quiet=quiet):
            at_home = frame.to(dtype=potential.dtype, device=potential.device)
            rows.append(np.stack([in_double(one, "energy")[0] for one in committee.each(at_home, want=("energy",))]))
        found[part] = np.stack(rows, axis=1)
    return found


def response(series: FloatArray, energies: FloatArray, members: FloatArray, temperature_k: float) -> FloatArray:
    """The root mean square of what members shift averages by, to first order: -cov(A, V_k - V) / kT.

    Covariances are taken within each chain, then averaged: chains that have not met carry no weight of their own.

    Args:
        series: (T, S, ...).
        energies: (T, S) eV of the potential that was sampled.
        members: (K, T, S) eV.
        temperature_k: Of the ensemble.
    """
    beta = 1 / (BOLTZMANN_EV_PER_K * temperature_k)
    away = series - series.mean(0)
    change = beta * (members - energies)
    change -= change.mean(1, keepdims=True)
    frames, chains = series.shape[:2]
    shifts = -np.einsum("kts,ts...->k...", change, away) / ((frames - 1) * chains)
    return np.sqrt((shifts**2).mean(0))


def measured_samples(
    result: R,
    samples: Samples,
    series: Mapping[str, FloatArray],
    potential: Potential,
    *,
    temperature_k: float,
    members: int | None = None,
    error_bars: bool = True,
    quiet: bool = False,
) -> Measured[R]:
    """A result of averages over chains, with the error bars of the potential by first-order response.

    Args:
        result: Whose fields are the averages.
        samples: The chains.
        series: By name of the field, (T, S, ...) what it is the average of.
        potential: That was sampled.
        temperature_k: Of the ensemble.
        members: For each part of the uncertainty, 16 by default.
        error_bars: Whether those of the potential are wanted.
        quiet: Show no progress.

    Raises:
        ConfigurationError: Members of a potential that does not know how sure it is.
    """
    require_members_known(potential, members)
    if not error_bars or not potential.has_uncertainty:
        return Measured(result, None, WITHOUT_POSTERIOR if error_bars else NOT_ASKED_FOR)
    energies = member_energies_of(samples, potential, members=members, quiet=quiet)
    estimates = {}
    for name, values in series.items():
        parts = {part: response(values, samples.energies_ev, each, temperature_k) for part, each in energies.items()}
        total = np.sqrt(sum(np.square(part) for part in parts.values()))
        mean, error = chain_average(values)
        estimates[name] = Estimate(
            _number(mean),
            _number(total),
            *(_number(parts[part]) if part in parts else None for part in ("parametric", "misfit")),
            std_sampling=_number(error),
            unit=unit_of(name),
        )
    size = max(len(each) for each in energies.values())
    sure = f"each part from the first-order response to {size} members"
    return Measured(result, Propagated(estimates, size, (), 1 / np.sqrt(2 * size)), sure)


def _number(array: FloatArray) -> float | FloatArray:
    return array if np.ndim(array) else float(array)


def energies_per_atom(samples: Samples) -> FloatArray:
    """(T, S) eV."""
    return samples.energies_ev / samples.frames[0].counts.double().numpy()

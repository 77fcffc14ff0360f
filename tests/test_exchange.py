"""Monte Carlo over the places of elements, against statistics in closed form."""

import numpy as np
import pytest
import torch
from ase import Atoms
from site_models import HEAVY, LIGHT, on_sites

from adiabat.errors import ConfigurationError, StructureError
from adiabat.potential import Committee
from adiabat.properties.sampled import chain_average, response
from adiabat.sampling import ExchangeSettings, Samples, sample_exchanges
from adiabat.units import BOLTZMANN_EV_PER_K

KELVIN = 1000.0
KT = BOLTZMANN_EV_PER_K * KELVIN


def row(heavy: int, sites: int) -> Atoms:
    """Atoms far apart along a line."""
    numbers = [HEAVY] * heavy + [LIGHT] * (sites - heavy)
    return Atoms(numbers, positions=[[5.0 * place, 0, 0] for place in range(sites)])


def on_heavy(samples: Samples, chains: int) -> np.ndarray:
    """(T, S, N) whether the heavy element stands there."""
    return np.stack([frame.numbers.numpy().reshape(chains, -1) == HEAVY for frame in samples.frames]).astype(float)


def test_exchanges_visit_sites_by_their_boltzmann_weights() -> None:
    costs = [0.0, 0.05, 0.1]
    chains = 16
    settings = ExchangeSettings(KELVIN, sweeps=200, equilibration_sweeps=10, vibrations_per_sweep=0)
    samples = sample_exchanges([row(1, 3)] * chains, on_sites(row(1, 3), costs), settings, quiet=True)
    mean, error = chain_average(on_heavy(samples, chains))
    weights = np.exp(-np.array(costs) / KT)

    assert np.abs(mean - weights / weights.sum()).max() < 4 * error.max()
    assert error.max() < 0.03
    assert samples.accepted_vibrations is None


def test_the_semi_grand_ensemble_fills_sites_as_langmuir_and_mclean_say() -> None:
    costs, difference = [-0.1, 0.0, 0.0, 0.1], 0.05
    chains = 16
    settings = ExchangeSettings(KELVIN, sweeps=200, equilibration_sweeps=20, vibrations_per_sweep=0, seed=3)
    samples = sample_exchanges(
        [row(1, 4)] * chains,
        on_sites(row(1, 4), costs),
        settings,
        differences_ev={"Kr": difference, "Ar": 0.0},
        quiet=True,
    )
    mean, error = chain_average(on_heavy(samples, chains))

    assert np.abs(mean - 1 / (1 + np.exp((np.array(costs) - difference) / KT))).max() < 4 * error.max()
    assert error.max() < 0.03


def test_vibrations_hold_the_energy_of_equipartition() -> None:
    chains = 8
    settings = ExchangeSettings(KELVIN, sweeps=100, equilibration_sweeps=25, vibrations_per_sweep=1, moves_per_sweep=1)
    samples = sample_exchanges([row(1, 4)] * chains, on_sites(row(1, 4), [0.0] * 4), settings, quiet=True)
    mean, error = chain_average(samples.energies_ev)

    assert mean == pytest.approx(1.5 * 4 * KT, abs=float(4 * error))
    assert error < 0.05 * mean
    assert samples.accepted_vibrations is not None
    assert 0.4 < samples.accepted_vibrations < 0.99


def test_chains_are_the_same_whatever_they_are_sampled_with() -> None:
    potential, settings = on_sites(row(1, 3), [0.0, 0.0, 0.1]), ExchangeSettings(KELVIN, 5, 2, vibrations_per_sweep=0)
    together = sample_exchanges([row(1, 3)] * 3, potential, settings, quiet=True)
    alone = sample_exchanges([row(1, 3)], potential, settings, quiet=True)

    assert (together.frames[-1].numbers[:3] == alone.frames[-1].numbers).all()


def test_the_response_to_members_is_the_derivative_of_the_average() -> None:
    costs, shift, chains = [0.0, 0.05], 0.01, 16
    settings = ExchangeSettings(KELVIN, sweeps=400, equilibration_sweeps=10, vibrations_per_sweep=0)
    potential, members = (
        on_sites(row(1, 2), costs),
        [on_sites(row(1, 2), [0.0, 0.05 + sign * shift]) for sign in (1, -1)],
    )
    samples = sample_exchanges([row(1, 2)] * chains, potential, settings, quiet=True)
    committee = Committee(members)
    energies = np.stack(
        [
            np.stack(
                [each.energy.numpy() for each in committee.each(frame, want=("energy",)) if each.energy is not None]
            )
            for frame in samples.frames
        ],
        axis=1,
    )
    found = response(on_heavy(samples, chains), samples.energies_ev, energies, KELVIN)
    share = 1 / (1 + np.exp(-0.05 / KT))

    assert found == pytest.approx(np.full(2, share * (1 - share) * shift / KT), rel=0.1)


def test_what_cannot_be_exchanged_is_refused() -> None:
    potential, settings = on_sites(row(1, 3), [0.0] * 3), ExchangeSettings(KELVIN)
    with pytest.raises(StructureError, match="all sites hold Ar"):
        sample_exchanges([row(0, 3)], potential, settings)
    with pytest.raises(StructureError, match="all sites hold Ar"):
        sample_exchanges([row(1, 3)], potential, settings, sites=[1, 2])
    with pytest.raises(StructureError, match="chain 1 has 2 atoms"):
        sample_exchanges([row(1, 3), row(1, 2)], potential, settings)
    with pytest.raises(ConfigurationError, match="chemical potentials of Kr"):
        sample_exchanges([row(1, 3)], potential, settings, differences_ev={"Kr": 0.1})
    for wrong in ({"temperature_k": 0.0}, {"temperature_k": 300.0, "sweeps": 0}, {"temperature_k": float("nan")}):
        with pytest.raises(ConfigurationError):
            ExchangeSettings(**wrong)  # type: ignore[arg-type]
    assert torch.is_tensor(
        sample_exchanges([row(1, 3)], potential, ExchangeSettings(KELVIN, 1, 0), quiet=True).frames[0].numbers
    )

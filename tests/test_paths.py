"""Minimum-energy paths, against surfaces that are known and against ASE's own band."""

from math import log10, sqrt

import numpy as np
import pytest
import torch
from analytic_models import rare_gas_potential
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms
from ase.mep import NEB
from ase.optimize import FIRE
from ase.units import _amu, _e
from surfaces_in_the_plane import cosine, field, muller_brown, walker

from adiabat.errors import AdiabatError, ConfigurationError, SimulationError, StructureError
from adiabat.potential import Committee, FromASE
from adiabat.properties.paths import BandSettings, MemberPaths, measured_path, minimum_energy_path, path_ends, wigner
from adiabat.properties.paths.band import nudged
from adiabat.properties.paths.ends import Ends
from adiabat.properties.paths.guess import bent, straight
from adiabat.properties.paths.modes import modes
from adiabat.properties.paths.views import path_sentences, path_tables

BOLTZMANN, PLANCK = 8.617333262e-5, 4.135667696e-3


def vacancy_hop() -> tuple[Atoms, Atoms]:
    """An atom of copper and the hole beside it, exchanged."""
    full = bulk("Cu", cubic=True, a=3.59).repeat((2, 2, 1))
    first = full.copy()
    del first[0]
    last = first.copy()
    hopper = int(np.linalg.norm(first.positions - full.positions[1], axis=1).argmin())
    last.positions[hopper] = full.positions[0]
    return first, last


@pytest.mark.parametrize(
    ("first", "last", "barrier", "reverse"),
    [
        ((0.6, 0.0), (-0.05, 0.45), 1.08167 - 0.72249, 0.80768 - 0.72249),
        ((-0.05, 0.45), (-0.55, 1.45), 0.80768 - 0.40665, 1.46700 - 0.40665),
    ],
)
def test_saddles_of_muller_and_browns_surface(
    first: tuple[float, float], last: tuple[float, float], barrier: float, reverse: float
) -> None:
    potential = field(muller_brown)
    ends = path_ends(walker(*first), walker(*last), potential)
    found = minimum_energy_path(ends, potential, how=BandSettings(tolerance=1e-3))

    assert found.converged
    assert found.barrier_ev == pytest.approx(barrier, abs=1e-4)
    assert found.reverse_barrier_ev == pytest.approx(reverse, abs=1e-4)
    assert found.negative_modes == 1
    assert found.leads_to_ends is True
    assert found.dips == ()


def test_a_minimum_between_the_ends_is_named() -> None:
    potential = field(muller_brown)
    ends = path_ends(walker(0.6, 0.0), walker(-0.55, 1.45), potential)
    found = minimum_energy_path(ends, potential, images=11, how=BandSettings(tolerance=1e-2))

    assert found.barrier_ev == pytest.approx(1.08167 - 0.40665, abs=1e-3)
    assert len(found.dips) == 1
    assert found.leads_to_ends is False


def test_the_rate_across_a_cosine_is_that_of_its_curvature() -> None:
    barrier, period, mass = 0.4, 3.0, 39.948
    potential = field(cosine(barrier, period, 2.0))
    ends = path_ends(walker(0.0, 0.0), walker(period, 0.1), potential)
    found = minimum_energy_path(
        ends, potential, how=BandSettings(tolerance=1e-4), temperatures_k=np.array([300.0, 600.0])
    )
    per_second = sqrt(barrier * _e / (2 * mass * _amu)) / (period * 1e-10)

    assert found.barrier_ev == pytest.approx(barrier, abs=1e-6)
    assert found.log10_prefactor_per_s == pytest.approx(log10(per_second), abs=1e-3)
    assert found.unstable_frequency_thz == pytest.approx(per_second * 1e-12, rel=1e-3)
    assert found.rate_per_s == pytest.approx(
        per_second * np.exp(-barrier / (BOLTZMANN * np.array([300.0, 600.0]))), rel=5e-3
    )
    x = PLANCK * per_second * 1e-12 / (BOLTZMANN * 300)
    assert found.wigner_factor is not None
    assert found.wigner_factor[0] == pytest.approx(1 + x**2 / 24, rel=1e-4)
    assert wigner(0.0, np.array([300.0])) == pytest.approx([1.0])


def test_ases_band_finds_the_same_barrier() -> None:
    potential = FromASE(EMT())
    ends = path_ends(*vacancy_hop(), potential)
    found = minimum_energy_path(ends, potential, images=3, how=BandSettings(tolerance=0.05))
    images = [ends.first.copy(), *(ends.first.copy() for _ in range(3)), ends.last.copy()]
    band = NEB(images, climb=True, method="improvedtangent")
    band.interpolate("idpp")
    for image in images:
        image.calc = EMT()
    FIRE(band, logfile=None).run(fmax=0.05, steps=300)  # type: ignore[arg-type]
    theirs = max(image.get_potential_energy() for image in images) - images[0].get_potential_energy()

    assert found.converged
    assert found.barrier_ev == pytest.approx(theirs, abs=2e-3)
    assert found.reverse_barrier_ev == pytest.approx(found.barrier_ev, abs=2e-3)  # the two ends are mirror images
    assert found.negative_modes == 1
    assert found.leads_to_ends is True
    assert found.log10_prefactor_per_s is not None
    assert 12 < found.log10_prefactor_per_s < 14.5


def hops(*heights_ev: float) -> MemberPaths:
    """Across a cosine, for a committee of such."""
    committee = Committee([field(cosine(height, 3.0, 2.0)) for height in heights_ev])
    ends, how = path_ends(walker(0.0, 0.0), walker(3.0, 0.0), committee), BandSettings(tolerance=1e-4)
    own = minimum_energy_path(ends, committee, how=how, temperatures_k=np.array([300.0]))
    return MemberPaths(ends, committee, own, how)


def test_a_rates_interval_reaches_farther_up_than_down() -> None:
    factors = (0.9, 0.95, 1.05, 1.1)
    found = measured_path(hops(*(0.4 * factor for factor in factors)), quiet=True)
    std = 0.4 * np.sqrt(np.mean((np.array(factors) - 1) ** 2))
    rate, low, high = (
        getattr(found.result, name)[0] for name in ("rate_per_s", "rate_low_95_per_s", "rate_high_95_per_s")
    )

    assert found.std("barrier_ev") == pytest.approx(std, rel=1e-3)
    assert high - rate > 10 * (rate - low)
    assert np.log(high / rate) == pytest.approx(np.log(rate / low))
    # The prefactor goes with the root of the barrier: d ln k = (1/2 - E/kT) dE/E.
    assert np.log(high / rate) == pytest.approx(1.96 * std * (1 / (BOLTZMANN * 300) - 0.5 / 0.4), rel=2e-3)
    assert "95 % interval" in path_tables(found)[0].columns


def test_members_without_a_barrier_count_with_what_they_have_to_climb() -> None:
    found = measured_path(hops(0.5, 0.3, 0.4, 0.0), quiet=True)

    assert found.result.barrier_ev == pytest.approx(0.3, rel=1e-6)
    assert found.result.members_without_barrier == 1
    assert found.std("barrier_ev") == pytest.approx(np.sqrt(np.mean(np.square([0.2, 0.0, 0.1, 0.3]))), rel=1e-3)
    assert any("1 member sees no barrier" in said for said in path_sentences(found.result))
    assert found.std("log10_rate_per_s")[0] > 0.1 / (BOLTZMANN * 300 * np.log(10))  # type: ignore[index]


def test_images_keep_apart_in_the_guess() -> None:
    atoms = Atoms("Ar3", positions=[[0, 0, 0], [-3.0, 0.05, 0], [30, 30, 30]])
    other = atoms.copy()
    other.positions[1] = [3.0, 0.05, 0]
    ends = Ends(atoms, other, np.array([True, True, False]))

    def nearest(images: torch.Tensor) -> float:
        return float(torch.linalg.vector_norm(images[:, 0] - images[:, 1], dim=-1).min())

    assert nearest(straight(ends, 5)) < 0.1
    assert nearest(bent(ends, 5)) > 2.0


def test_a_path_goes_the_short_way_across_the_cell() -> None:
    crystal = bulk("Ar", cubic=True, a=5.25)
    other = crystal.copy()
    other.positions[1:3] = crystal.positions[[2, 1]]
    other.positions += [0, 0, 5.25]
    ends = path_ends(crystal, other, rare_gas_potential(), relax_first=True)

    assert np.linalg.norm(ends.last.positions - ends.first.positions, axis=1).max() < 5.25 / sqrt(2) + 1e-3


def test_springs_act_along_the_band_alone_and_the_climbing_image_goes_up() -> None:
    images = torch.tensor([[[0.0, 0, 0]], [[1.0, 0, 0]], [[3.0, 0, 0]]], dtype=torch.float64)
    energies, forces = torch.tensor([0.0, 1.0, 2.0], dtype=torch.float64), torch.tensor([[[-1.0, 0.5, 0]]]).double()

    assert nudged(images, energies, forces, spring=2.0, climbing=None)[0, 0].tolist() == [2.0, 0.5, 0]
    assert nudged(images, energies, forces, spring=2.0, climbing=1)[0, 0].tolist() == [1.0, 0.5, 0]


def test_a_free_molecule_has_its_vibrations_alone() -> None:
    dimer = Atoms("Ar2", positions=[[0, 0, 0], [0, 0, 3.85]])
    found = modes(dimer, rare_gas_potential(), np.array([True, True]))

    assert found.frequencies_thz.shape == (1,)
    assert modes(
        bulk("Ar", cubic=True, a=5.25), rare_gas_potential(), np.ones(4, dtype=bool)
    ).frequencies_thz.shape == (9,)


def test_what_does_not_come_to_rest_says_so() -> None:
    potential = field(muller_brown)
    found = minimum_energy_path(
        path_ends(walker(0.6, 0.0), walker(-0.05, 0.45), potential),
        potential,
        how=BandSettings(tolerance=1e-6, steps=3),
    )

    assert not found.converged
    assert found.advice is not None
    assert "allow more steps" in found.advice
    assert found.rate_per_s is None


def test_ends_that_do_not_belong_together_are_refused() -> None:
    first = bulk("Cu", cubic=True, a=3.6)
    other, gold, exchanged, larger, held = (first.copy() for _ in range(5))
    gold.numbers[0] = 79
    exchanged.numbers[1] = 79
    larger.set_cell(first.cell.array * 1.01, scale_atoms=True)
    held.set_constraint(FixAtoms([0]))
    one_less = first.copy()
    del one_less[0]

    for ends, said in (
        ((first, one_less), "the first is Cu4, the last Cu3"),
        ((gold, exchanged), "atom 0 is Au in the first and Cu in the last"),
        ((first, larger), "the cells are"),
        ((first, held), "other atoms are held"),
        ((first, other), "no atom moves by more than"),
    ):
        with pytest.raises(StructureError, match=said):
            path_ends(*ends, FromASE(EMT()))


def test_ends_that_are_not_at_rest_are_refused_where_they_are_not_to_be_relaxed() -> None:
    with pytest.raises(StructureError, match="a force of"):
        path_ends(*vacancy_hop(), FromASE(EMT()), relax_first=False)


def test_a_path_without_a_barrier_is_an_error() -> None:
    potential = field(lambda x, y: 0.1 * x + 0.0 * y)
    ends = Ends(walker(0, 0), walker(2, 0), np.array([True, False]))

    with pytest.raises(SimulationError, match="highest at the last end"):
        minimum_energy_path(ends, potential)


def test_too_few_images_are_refused() -> None:
    ends = Ends(walker(0, 0), walker(2, 0), np.array([True, False]))
    with pytest.raises(ConfigurationError, match="2 images") as caught:
        minimum_energy_path(ends, field(muller_brown), images=2)
    assert isinstance(caught.value, AdiabatError)

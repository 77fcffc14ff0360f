"""What the uncertainty of a potential makes of a mean along its trajectory."""

import numpy as np
import pytest
from made_trajectories import NVE, made, random_walk

from adiabat.errors import PropertyUnavailable
from adiabat.properties.observables import radial_distribution
from adiabat.properties.observables.model_error import MemberDifferences


def test_of_a_harmonic_oscillator_the_response_to_other_spring_constants_is_that_of_theory() -> None:
    """⟨x²⟩ = k_B T / k: another k by a share s changes it by -s of itself, and a force f moves ⟨x⟩ by f / k."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=200_000)  # k = k_B T = 1
    shares, forces = rng.normal(size=16) * 0.05, rng.normal(size=16) * 0.1
    reduced = {"parametric": shares[:, None] * x**2 / 2, "misfit": -forces[:, None] * x}
    members = MemberDifferences({part: one - one.mean(axis=1, keepdims=True) for part, one in reduced.items()})
    found = members.std(np.stack([x**2, x], axis=1))
    assert found == pytest.approx([np.sqrt(np.mean(shares**2)), np.sqrt(np.mean(forces**2))], rel=0.02)


def test_without_members_there_is_no_error_of_the_potential() -> None:
    found = radial_distribution(made(np.random.default_rng(0).uniform(0, 20, (60, 10, 3))), quiet=True)
    assert found.pairs["Ar-Ar"].values_std_model is None
    assert len(found.figures()) == 1


def test_with_members_it_stands_beside_that_of_the_sampling() -> None:
    rng = np.random.default_rng(0)
    members = MemberDifferences({"committee": rng.normal(size=(8, 60))})
    gas = made(rng.uniform(0, 20, (60, 10, 3)))
    found = radial_distribution(gas, members=members, quiet=True)
    model = found.pairs["Ar-Ar"].values_std_model
    assert model is not None
    assert model.shape == found.distances.shape
    assert [figure.name for figure in found.figures()] == ["rdf", "rdf-errors"]


def test_it_takes_a_canonical_ensemble() -> None:
    from made_potentials import made_potential

    with pytest.raises(PropertyUnavailable, match="the trajectory is nve"):
        MemberDifferences.along(made(random_walk(3, 2, diffusion=1e-3).positions, ensemble=NVE), made_potential())

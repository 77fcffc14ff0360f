"""Error bars of networks: the posterior of the last layer, calibrated by structures that were not trained on."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from narrowing import present
from training_structures import cells, isolated_silicon, labelled_cells, noisy

from adiabat.evaluation import evaluate, training_distance, trust
from adiabat.models import LinearACE
from adiabat.models.network import InvariantNetwork
from adiabat.potential import Potential, load_potential
from adiabat.training import TrainConfig, training_sentences
from adiabat.training.train import fit
from adiabat.typing import Quantity
from adiabat.uncertainty import Extrapolation, LinearPosterior, Spread

BASIS = {"size": "small", "cutoff_angstrom": 4.0}
GRADIENT = {"epochs": 6, "batch_atoms": 32}
REPULSION = {"enabled": False}
"""So that no time is spent on holes."""
CONFIGS = {
    "network": {
        "model": "network",
        "basis": {"cutoff_angstrom": 4.0},
        "network": {"start": "random", "inputs": 12, "hidden": [6]},
        "repulsion": REPULSION,
        "gradient": GRADIENT,
    },
    "beside an expansion": {
        "model": "network",
        "basis": BASIS,
        "network": {"inputs": 6, "hidden": [3]},
        "repulsion": REPULSION,
        "gradient": GRADIENT,
    },
    "messages": {
        "model": "messages",
        "messages": {
            "cutoff_angstrom": 4.0,
            "layers": 1,
            "l_max": 1,
            "channels": 4,
            "edge_channels": 4,
            "hidden": 8,
        },
        "repulsion": REPULSION,
        "gradient": GRADIENT,
    },
}
WANT: tuple[Quantity, ...] = ("energy", "energies", "forces", "stress")
STD: tuple[Quantity, ...] = ("energy_std", "energies_std", "forces_std", "stress_std")


@cache
def trained(name: str, count: int = 44) -> Potential:
    return fit([*noisy(labelled_cells(count)), isolated_silicon()], TrainConfig.parse(CONFIGS[name]), quiet=True)


@pytest.fixture(params=CONFIGS)
def potential(request: pytest.FixtureRequest) -> Potential:
    return trained(request.param)


def test_a_network_ends_with_error_bars_and_says_what_they_are_worth(potential: Potential) -> None:
    assert not [note for note in potential.metadata["training"]["notes"] if "error bars" in note]
    assert any("68 % intervals hold" in sentence for sentence in training_sentences(potential))
    found = potential(cells(2, first_seed=50), want=(*WANT, *STD))
    for name in WANT:
        std = getattr(found, f"{name}_std")
        assert std.shape == getattr(found, name).shape
        assert bool(torch.isfinite(std).all())
        assert bool((std > 0).all())


def test_the_posterior_is_about_what_was_trained(potential: Potential) -> None:
    posterior = potential.attachments["posterior"]
    assert isinstance(posterior, LinearPosterior)
    learned = [part for part in potential.parts if not getattr(part, "exact", False)]
    coefficients = torch.cat([part.coefficients.flatten() for part in learned])  # pyright: ignore[reportAttributeAccessIssue]
    assert torch.equal(posterior.mean, coefficients)


def test_the_spread_of_drawn_members_is_what_the_standard_deviations_say(potential: Potential) -> None:
    [atoms] = cells(1, first_seed=50)
    found = potential(atoms, want=("forces", "forces_std", "forces_std_parametric"))
    members = potential.committee(part="parametric", size=100)
    forces = torch.stack([present(one.forces) for one in members.each(atoms, want=("forces",))])
    torch.testing.assert_close(
        forces.std(0).square().mean().sqrt(),
        present(found.forces_std_parametric).square().mean().sqrt(),
        rtol=0.2,
        atol=0.0,
    )


def test_error_bars_are_stored_and_come_back(potential: Potential, tmp_path: Path) -> None:
    [atoms] = cells(1, first_seed=50)
    potential.save(tmp_path / "p.adiabat")
    loaded = load_potential(tmp_path / "p.adiabat")
    for name in STD:
        before, after = (getattr(one(atoms, want=(name,)), name) for one in (potential, loaded))
        torch.testing.assert_close(before, after, rtol=1e-8, atol=0.0)


def test_what_the_network_was_not_trained_on_calibrates_it() -> None:
    spread = trained("network").attachments["spread"]
    assert isinstance(spread, Spread)
    assert spread.record["structures"] == trained("network").metadata["training"]["validation_structures"] == 10
    assert 0.5 < spread.record["left_out"]["forces"]["coverage_68"] < 0.85


def test_error_bars_of_new_structures_hold_their_errors(potential: Potential) -> None:
    found = evaluate(potential, noisy(labelled_cells(20, first_seed=500)), quiet=True).calibration
    forces = present(found).forces
    assert 0.5 < present(forces.coverage_68) < 0.85
    assert 0.85 < present(forces.coverage_95) <= 1.0


def test_cheap_estimates_of_energies_go_with_the_exact_deviations(potential: Potential) -> None:
    found = potential(cells(4, first_seed=50), want=("energies_std", "energies_std_estimate"))
    ratio = present(found.energies_std_estimate) / present(found.energies_std)
    assert 0.7 < float(ratio.median()) < 1.4


def test_a_squeezed_crystal_is_less_sure_farther_from_the_training_and_not_trusted() -> None:
    potential = trained("network")
    near, far = cells(1, first_seed=50)[0], cells(1, first_seed=51)[0]
    far.set_cell(0.75 * far.cell.array, scale_atoms=True)
    stds = [float(present(potential(atoms, want=("energy_std",)).energy_std)) for atoms in (near, far)]
    assert stds[1] > 3 * stds[0]
    structures = labelled_cells(1, first_seed=50)
    assert trust(potential, structures, quiet=True).trusted == 1
    squeezed = [structures[0].__class__(far, structures[0].labels, "cell", place="squeezed")]
    assert trust(potential, squeezed, quiet=True).trusted == 0


def test_grades_are_those_of_the_descriptors_of_the_network() -> None:
    potential = trained("beside an expansion")
    assert [type(part) for part in potential.parts[-2:]] == [LinearACE, InvariantNetwork]
    detector = potential.attachments["extrapolation"]
    assert isinstance(detector, Extrapolation)
    assert detector.detector.mean.shape == (1, 6 + 3)
    assert training_distance(potential) is not None


def test_few_structures_give_no_error_bars_and_a_note_says_why() -> None:
    potential = trained("network", 12)
    assert not potential.has_uncertainty
    [note] = [note for note in potential.metadata["training"]["notes"] if "error bars" in note]
    assert "fall into 3 group(s)" in note
    assert np.isfinite(potential.typical_errors["forces"])

"""Standard deviations of energies that are estimated at every step of a simulation."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch
from training_structures import CONFIG, cells, isolated_silicon, labelled_cells, noisy

import adiabat
from adiabat.errors import PotentialFileError, PropertyUnavailable
from adiabat.neighbors import neighbor_graph
from adiabat.physics import ZBL
from adiabat.potential import Potential
from adiabat.potential.document import Document, decode, encode
from adiabat.system import Batch
from adiabat.training.train import fit
from adiabat.typing import Quantity
from adiabat.uncertainty import LinearUncertainty, Projection, project

ESTIMATES: tuple[Quantity, ...] = ("energy_std_estimate", "energies_std_estimate")


@cache
def calibrated() -> Potential:
    """Trained on enough structures for error bars."""
    return fit([*noisy(labelled_cells(12)), isolated_silicon()], CONFIG, quiet=True)


def with_attachments(**others: object) -> Potential:
    attachments = {**calibrated().attachments, **others}
    return Potential(calibrated().parts, attachments=attachments, canaries=calibrated().canaries)


def completely_projected() -> Potential:
    """Without the root of the posterior's variance, and with as many directions as the covariance has."""
    deviations = calibrated().linear_deviations
    assert deviations is not None
    spread = deviations.uncertainty.spread
    calibration = replace(spread.calibration, root=dict.fromkeys(spread.calibration.root, 0.0))
    uncertainty = LinearUncertainty(deviations.uncertainty.posterior, replace(spread, calibration=calibration))
    graph = neighbor_graph(Batch.from_atoms(cells(3)), calibrated().cutoff)
    directions = project(uncertainty.root("energy"), deviations.model.atom_rows(graph), leading=10**6, random=0)
    return with_attachments(spread=uncertainty.spread, projection=Projection(directions, posterior_share=0.7))


def test_as_many_directions_as_the_covariance_has_give_the_exact_deviations() -> None:
    structures = [cells(1, first_seed=50)[0], cells(1, first_seed=51)[0].repeat((2, 1, 1))]
    want: tuple[Quantity, ...] = ("energy_std", "energies_std", *ESTIMATES)
    found = completely_projected()(structures, want=want)
    torch.testing.assert_close(found.energies_std_estimate, found.energies_std, rtol=1e-3, atol=0)
    torch.testing.assert_close(found.energy_std_estimate, found.energy_std, rtol=1e-3, atol=0)


def test_the_few_directions_of_a_training_come_near_the_exact_deviations_of_atoms_not_seen() -> None:
    found = calibrated()(cells(20, first_seed=60), want=("energies_std", "energies_std_estimate"))
    assert found.energies_std is not None
    assert found.energies_std_estimate is not None
    ratio = found.energies_std_estimate / found.energies_std
    assert (
        float(((ratio - 1).abs() < 0.3).double().mean()) > 0.95
    )  # `benchmarks/committee_cost.py` judges a real training
    assert float(ratio.median()) == pytest.approx(1, abs=0.1)


def test_what_stands_beside_an_estimate_is_what_the_potential_says_without_it() -> None:
    structures = cells(2, first_seed=70)
    plain: tuple[Quantity, ...] = ("energy", "energies", "forces", "stress", "atomic_virials")
    alone = calibrated()(structures, want=plain)
    beside = calibrated()(structures, want=(*plain, "forces_std", *ESTIMATES))
    for name in plain:
        torch.testing.assert_close(getattr(beside, name), getattr(alone, name), rtol=1e-11, atol=1e-11)
    assert beside.forces_std is not None
    assert beside.energies_std is None


class OtherZBL(ZBL):
    """A part that the compiled kernel does not know."""


def test_estimates_by_the_reference_are_those_of_the_kernel() -> None:
    structures = cells(2, first_seed=80)
    unknown = Potential([OtherZBL({(14, 14): (1.0, 2.6)})])
    known = Potential([ZBL({(14, 14): (1.0, 2.6)})])
    by_reference, by_kernel = ((calibrated() + part)(structures, want=ESTIMATES) for part in (unknown, known))
    for name in ESTIMATES:
        torch.testing.assert_close(getattr(by_reference, name), getattr(by_kernel, name), rtol=1e-3, atol=0)


def test_estimates_in_float32_are_those_in_float64() -> None:
    structures = cells(2, first_seed=90)
    double, single = (p(structures, want=ESTIMATES) for p in (calibrated(), calibrated().to(dtype=torch.float32)))
    for name in ESTIMATES:
        assert getattr(single, name).dtype == torch.float32
        torch.testing.assert_close(getattr(single, name).double(), getattr(double, name), rtol=5e-3, atol=0)


def test_a_supercell_is_estimated_to_be_as_sure_as_its_cell() -> None:
    [atoms] = cells(1, first_seed=100)
    one, eight = (calibrated()(a, want=ESTIMATES) for a in (atoms, atoms.repeat(2)))
    assert one.energy_std_estimate is not None
    assert one.energies_std_estimate is not None
    torch.testing.assert_close(eight.energy_std_estimate, 8 * one.energy_std_estimate, rtol=1e-4, atol=0)
    torch.testing.assert_close(eight.energies_std_estimate, one.energies_std_estimate.repeat(8), rtol=1e-4, atol=0)


def test_estimates_survive_the_file(tmp_path: Path) -> None:
    calibrated().save(tmp_path / "potential.adiabat")
    again = adiabat.load(tmp_path / "potential.adiabat")
    atoms = cells(1, first_seed=110)
    for name in ESTIMATES:
        assert torch.equal(*(getattr(p(atoms, want=(name,)), name) for p in (again, calibrated())))


def test_a_file_whose_directions_were_changed_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "potential.adiabat"
    calibrated().save(file)
    document = decode(file.read_bytes(), place="")
    name = next(name for name in document.tensors if name.endswith("directions"))
    document.tensors[name] *= 1.5
    file.write_bytes(encode(Document(document.values, document.tensors)))
    with pytest.raises(PotentialFileError, match="energies_std_estimate differs"):
        adiabat.load(file)


def test_a_potential_without_directions_says_what_it_knows() -> None:
    attachments = {name: part for name, part in calibrated().attachments.items() if name != "projection"}
    without = Potential(calibrated().parts, attachments=attachments)
    assert not set(ESTIMATES) & set(without.known_deviations)
    with pytest.raises(PropertyUnavailable, match="this potential knows energy_std, "):
        without(cells(1), want=("energies_std_estimate",))

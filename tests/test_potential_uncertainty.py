"""Standard deviations and committees of a trained potential."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch
from analytic_models import rare_gas_potential
from ase import Atoms
from ase.build import bulk
from training_structures import CONFIG, cells, isolated_silicon, labelled_cells, noisy, trained

import adiabat
from adiabat.errors import ConfigurationError, PotentialFileError, PropertyUnavailable
from adiabat.evaluation import trust
from adiabat.neighbors import neighbor_graph
from adiabat.physics import ZBL
from adiabat.potential import Committee, Potential
from adiabat.potential.document import Document, decode, encode
from adiabat.system import Batch
from adiabat.training.train import fit
from adiabat.typing import Quantity
from adiabat.uncertainty import LinearPosterior, Spread

SINGLE: tuple[Quantity, ...] = ("energy_std", "energies_std", "forces_std", "stress_std")


@cache
def calibrated() -> Potential:
    """Trained on enough structures for error bars."""
    return fit([*noisy(labelled_cells(12)), isolated_silicon()], CONFIG, quiet=True)


def total_covariance(part: str) -> torch.Tensor:
    """(columns, columns), written out in full; without what belongs to single kinds of label alone."""
    posterior, spread = (calibrated().attachments[name] for name in ("posterior", "spread"))
    assert isinstance(posterior, LinearPosterior)
    assert isinstance(spread, Spread)
    if part == "parametric":
        return spread.moves.T @ spread.moves / len(spread.moves)
    weights, sets = spread.calibration, spread.displacements
    return weights.widening * posterior.covariance.dense() + weights.weight * sets.T @ sets / len(sets)


def test_every_quantity_has_its_three_standard_deviations_in_its_own_shape() -> None:
    structures = cells(2, first_seed=50)
    names: list[Quantity] = [
        f"{name}_std{part}"  # pyright: ignore[reportAssignmentType]
        for name in ("energy", "energies", "forces", "stress")
        for part in ("", "_parametric", "_misfit")
    ]
    found = calibrated()(structures, want=["energy", "energies", "forces", "stress", *names])
    for name in ("energy", "energies", "forces", "stress"):
        value = getattr(found, name)
        total, parametric, misfit = (getattr(found, f"{name}_std{part}") for part in ("", "_parametric", "_misfit"))
        assert total.shape == value.shape
        assert bool((total > 0).all())
        torch.testing.assert_close(total**2, parametric**2 + misfit**2)


def test_parametric_variances_are_those_of_finite_changes_of_the_coefficients() -> None:
    """The derivative of each quantity by the coefficients, taken by their differences, times their covariance."""
    [atoms] = cells(1, first_seed=60)
    potential = calibrated()
    want: tuple[Quantity, ...] = ("energy", "energies", "forces", "stress")
    at = potential(atoms, want=want)
    model = potential.parts[-1]
    mean = model.coefficients.flatten()  # pyright: ignore[reportAttributeAccessIssue]
    slopes: dict[str, list[torch.Tensor]] = {name: [] for name in want}
    for column in range(len(mean)):
        moved = mean.clone()
        moved[column] += 1.0
        other = Potential([*potential.parts[:-1], model.with_coefficients(moved)])(atoms, want=want)  # pyright: ignore
        for name in want:
            slopes[name].append((getattr(other, name) - getattr(at, name)).flatten())
    covariance = total_covariance("parametric")
    found = potential(
        atoms,
        want=("energy_std_parametric", "energies_std_parametric", "forces_std_parametric", "stress_std_parametric"),
    )
    for name in want:
        by_coefficient = torch.stack(slopes[name], dim=1)
        expected = torch.einsum("ni,ij,nj->n", by_coefficient, covariance, by_coefficient)
        value = getattr(found, f"{name}_std_parametric").flatten() ** 2
        torch.testing.assert_close(value, expected, rtol=1e-6, atol=1e-9 * float(expected.max()))


def test_structures_of_a_batch_are_as_sure_as_alone() -> None:
    first, second = cells(2, first_seed=70)
    second = second.repeat((2, 1, 1))
    together = calibrated()([first, second], want=SINGLE)
    alone = [calibrated()(atoms, want=SINGLE) for atoms in (first, second)]
    for name in SINGLE:
        expected = torch.cat([getattr(one, name) for one in alone])
        torch.testing.assert_close(getattr(together, name), expected, rtol=1e-9, atol=0)


def test_a_supercell_is_as_sure_as_its_cell() -> None:
    [atoms] = cells(1, first_seed=80)
    one, eight = (calibrated()(a, want=SINGLE) for a in (atoms, atoms.repeat(2)))
    assert one.energy_std is not None
    assert eight.energy_std is not None
    torch.testing.assert_close(eight.energy_std, 8 * one.energy_std, rtol=1e-9, atol=0)
    for name in ("energies_std", "forces_std"):
        value = getattr(one, name)
        torch.testing.assert_close(getattr(eight, name), value.repeat(8, *[1] * (value.dim() - 1)), rtol=1e-8, atol=0)
    torch.testing.assert_close(eight.stress_std, one.stress_std, rtol=1e-9, atol=0)


@pytest.mark.parametrize("part", ["parametric", "misfit"])
def test_members_scatter_as_their_covariance_says(part: str) -> None:
    committee = calibrated().committee(part, 400, seed=3)  # pyright: ignore[reportArgumentType]
    atoms = cells(1, first_seed=90)[0]
    at = calibrated()(atoms, want=("forces",))
    each = committee.each(atoms, want=("forces",))
    squares = torch.stack([one.forces - at.forces for one in each]).square().mean(0)  # pyright: ignore
    model = calibrated().parts[-1]
    rows = model.design_rows(neighbor_graph(Batch.from_atoms(atoms), model.cutoff)).forces  # pyright: ignore
    expected = torch.einsum("ni,ij,nj->n", rows, total_covariance(part), rows).reshape(-1, 3)
    assert float((squares / expected).mean()) == pytest.approx(1.0, abs=0.1)
    torch.testing.assert_close(squares, expected, rtol=0.35, atol=0)


def test_intervals_hold_their_share_of_the_left_out_errors() -> None:
    """So they were made; the normal distribution's multiples are near."""
    spread = calibrated().attachments["spread"]
    assert isinstance(spread, Spread)
    for kind in ("energy", "forces", "stress"):
        widths = [spread.interval(kind, level) for level in (0.1, 0.5, 0.68, 0.9)]
        assert widths == sorted(widths)
    assert spread.interval("forces", 0.68) == pytest.approx(1.0, abs=0.25)


@pytest.mark.parametrize(("kind", "level"), [("forces", 0.95), ("forces", 0.0), ("dipole", 0.5)])
def test_an_interval_that_is_not_known_is_refused(kind: str, level: float) -> None:
    spread = calibrated().attachments["spread"]
    assert isinstance(spread, Spread)
    with pytest.raises(PropertyUnavailable, match=r"12 groups of structures vouch for intervals from 0\.01 to 0\.923"):
        spread.interval(kind, level)


def test_a_draw_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    atoms = cells(1)[0]
    energies = [
        [float(one.energy) for one in calibrated().committee("all", 3, seed).each(atoms, want=("energy",))]  # pyright: ignore
        for seed in (0, 0, 1)
    ]
    assert energies[0] == energies[1]
    assert energies[0] != energies[2]


def test_a_potential_that_does_not_know_how_sure_it_is_says_what_would_give_it() -> None:
    for ask in (lambda: trained()(cells(1), want=("forces_std",)), lambda: trained().committee()):
        with pytest.raises(PropertyUnavailable, match="does not know how sure it is") as error:
            ask()
        assert "train it again" in str(error.value)
    assert not trained().has_uncertainty


def test_single_precision_changes_error_bars_by_rounding_alone() -> None:
    atoms = cells(1, first_seed=100)[0]
    double, single = (p(atoms, want=SINGLE) for p in (calibrated(), calibrated().to(dtype=torch.float32)))
    for name in SINGLE:
        found = getattr(single, name)
        assert found.dtype == torch.float32
        torch.testing.assert_close(found.double(), getattr(double, name), rtol=1e-3, atol=0)


def test_error_bars_come_back_from_the_file(tmp_path: Path) -> None:
    file = tmp_path / "potential.adiabat"
    calibrated().save(file)
    atoms = cells(1, first_seed=110)[0]
    before, after = (p(atoms, want=SINGLE) for p in (calibrated(), adiabat.load(file)))
    for name in SINGLE:
        assert torch.equal(getattr(before, name), getattr(after, name))


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    file = tmp_path / "potential.adiabat"
    calibrated().save(file)
    return file


def change(file: Path, name: str, factor: float) -> None:
    """Multiply a stored tensor, under a right checksum."""
    document = decode(file.read_bytes(), place="")
    [key] = [key for key in document.tensors if key.endswith(name)]
    document.tensors[key].mul_(factor)
    file.write_bytes(encode(Document(document.values, document.tensors)))


@pytest.mark.parametrize(
    ("name", "factor", "message"),
    [
        ("canary.0.forces_std", 1.001, "forces_std differs by"),
        ("canary.0.energy_std", 0.0, "energy_std is 0"),
        ("spread.displacements", 2.0, "differs by"),
        ("spread.moves", 1.1, "differs by"),
        ("posterior.scale", 0.5, "differs by"),
    ],
)
def test_a_file_whose_error_bars_are_wrong_or_zero_is_refused(
    stored: Path, name: str, factor: float, message: str
) -> None:
    change(stored, name, factor)
    with pytest.raises(PotentialFileError, match=message):
        adiabat.load(stored)


def test_a_file_that_lost_its_error_bars_is_refused(stored: Path) -> None:
    document = decode(stored.read_bytes(), place="")
    del document.values["attachments"]["spread"]
    stored.write_bytes(encode(Document(document.values, document.tensors)))
    with pytest.raises(PotentialFileError, match="the potential gives none"):
        adiabat.load(stored)


def test_constant_error_bars_are_refused(tmp_path: Path) -> None:
    perfect = bulk("Si", cubic=True)
    with pytest.raises(PotentialFileError, match="of every atom's energy is"):
        calibrated().save(tmp_path / "potential.adiabat", canaries=[perfect, perfect])
    assert not (tmp_path / "potential.adiabat").exists()


def test_a_sum_with_an_exact_part_is_as_sure_as_the_other() -> None:
    atoms = cells(1, first_seed=130)[0]
    repulsion = Potential([ZBL({(14, 14): (1.0, 2.6)})])
    alone, first, second = (
        p(atoms, want=SINGLE) for p in (calibrated(), calibrated() + repulsion, repulsion + calibrated())
    )
    for name in SINGLE:
        for found in (first, second):
            torch.testing.assert_close(getattr(found, name), getattr(alone, name), rtol=1e-9, atol=0)


def test_a_sum_with_a_part_of_unknown_error_does_not_know_how_sure_it_is() -> None:
    other = Potential([calibrated().parts[-1]])
    for total in (calibrated() + other, other + calibrated()):
        assert not total.has_uncertainty
        with pytest.raises(PropertyUnavailable, match="does not know how sure it is"):
            total(cells(1), want=("energy_std",))


def test_a_potential_trained_without_forces_does_not_know_how_sure_of_them_it_is(tmp_path: Path) -> None:
    structures = [
        replace(one, labels=replace(one.labels, forces=None, stress=None)) for one in noisy(labelled_cells(25))
    ]
    potential = fit([*structures, isolated_silicon()], CONFIG, quiet=True)
    assert bool((potential(cells(1), want=("energy_std",)).energy_std > 0).all())  # pyright: ignore
    with pytest.raises(PropertyUnavailable, match="this potential knows energy_std, energy_std_parametric"):
        potential(cells(1), want=("forces_std",))
    potential.save(tmp_path / "potential.adiabat")
    assert adiabat.load(tmp_path / "potential.adiabat").known_deviations == potential.known_deviations
    errors = adiabat.evaluate(potential, labelled_cells(2, first_seed=140), quiet=True)
    assert errors.calibration is not None
    assert errors.calibration.energy.count == 2
    assert errors.calibration.forces.count == 0
    assert trust(potential, labelled_cells(2), quiet=True).structures[0].largest_force_std_ev_per_angstrom is None


# Committees of any potentials.


def rattled_argon() -> Atoms:
    atoms = bulk("Ar", "fcc", a=5.2, cubic=True)
    atoms.rattle(0.1, seed=1)
    return atoms


def three() -> Committee:
    members = [rare_gas_potential(), rare_gas_potential() + rare_gas_potential(), rare_gas_potential()]
    return Committee(members)


def test_a_committee_says_the_mean_and_the_spread_of_its_members() -> None:
    atoms = rattled_argon()
    committee = three()
    found = committee(atoms, want=("energy", "forces", "stress", "energy_std", "forces_std", "stress_std"))
    each = committee.each(atoms, want=("energy", "forces", "stress"))
    for name in ("energy", "forces", "stress"):
        values = torch.stack([getattr(one, name) for one in each])
        torch.testing.assert_close(getattr(found, name), values.mean(0), rtol=1e-12, atol=1e-14)
        torch.testing.assert_close(getattr(found, f"{name}_std"), values.std(0), rtol=1e-12, atol=1e-14)


def test_members_that_share_a_basis_say_together_what_each_says_alone() -> None:
    committee = calibrated().committee("all", 5)
    structures = cells(2, first_seed=150)
    want: tuple[Quantity, ...] = ("energy", "energies", "forces", "stress")
    together = committee.each(structures, want=want)
    alone = [member(structures, want=want) for member in committee.members]
    mean = committee(structures, want=want)
    for name in want:
        values = torch.stack([getattr(one, name) for one in alone])
        torch.testing.assert_close(torch.stack([getattr(one, name) for one in together]), values, rtol=1e-9, atol=1e-11)
        torch.testing.assert_close(getattr(mean, name), values.mean(0), rtol=1e-9, atol=1e-11)


def test_members_are_not_asked_how_sure_they_are() -> None:
    with pytest.raises(PropertyUnavailable, match="of each member"):
        three().each(rattled_argon(), want=("energy_std",))


def test_a_committee_is_a_potential_that_can_be_stored(tmp_path: Path) -> None:
    atoms = rattled_argon()
    three().save(tmp_path / "committee.adiabat")
    again = adiabat.load(tmp_path / "committee.adiabat")
    for name in ("energy", "forces_std"):
        before, after = (getattr(p(atoms, want=(name,)), name) for p in (three(), again))
        assert torch.equal(before, after)


def test_a_committee_does_not_divide_its_spread() -> None:
    with pytest.raises(PropertyUnavailable, match="the spread of a committee has no parts"):
        three()(rattled_argon(), want=("energy_std_misfit",))


def test_a_committee_of_one_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="a committee of 1"):
        Committee([rare_gas_potential()])


def test_members_of_different_types_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="the members are"):
        Committee([rare_gas_potential(), rare_gas_potential().to(dtype=torch.float32)])


def test_no_members_can_be_drawn_from_a_committee() -> None:
    with pytest.raises(PropertyUnavailable, match="drawn from a committee"):
        three().committee()

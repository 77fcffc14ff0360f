"""Second derivatives as labels: they are read, and learned along random directions."""

from pathlib import Path

import ase.io
import numpy as np
import pytest
import torch
from ase import Atoms
from trainable_models import SHIFT, TRUTH, Bumps
from training_structures import CONFIG as LINEAR
from training_structures import cells, isolated_silicon, labelled_cells

from adiabat.data import fingerprint, read
from adiabat.errors import DataError, LabelsNotFound
from adiabat.potential import Potential
from adiabat.system import Labelled, Labels
from adiabat.training.gradient.assembly import assemble
from adiabat.training.gradient.config import GradientConfig, Stage
from adiabat.training.gradient.descent import Descent, Task
from adiabat.training.gradient.targets import HESSIAN_STEP, count_of_kind, make_targets
from adiabat.training.train import fit
from adiabat.typing import FloatArray

EXACT = Potential([*SHIFT.parts, Bumps(*TRUTH)])


def second_derivatives(atoms: Atoms) -> FloatArray:
    """(3 n, 3 n), by central differences of forces."""
    step, rows = 1e-4, []
    for atom, axis in np.ndindex(len(atoms), 3):
        forces = []
        for sign in (1, -1):
            moved = atoms.copy()
            moved.positions[atom, axis] += sign * step
            found = EXACT(moved, want=("forces",)).forces
            assert found is not None
            forces.append(found.numpy().ravel())
        rows.append((forces[1] - forces[0]) / (2 * step))
    hessian = np.array(rows)
    return 0.5 * (hessian + hessian.T)


def labelled(seed: int, *, energy: bool = True) -> Labelled:
    [atoms] = cells(1, first_seed=seed)
    found = EXACT(atoms, want=("energy",)).energy
    assert found is not None
    labels = Labels(energy=float(found[0]) if energy else None, hessian=second_derivatives(atoms))
    return Labelled(atoms, labels, place=f"structure {seed}")


def test_they_are_read_as_they_were_written_and_count_in_the_fingerprint(tmp_path: Path) -> None:
    given = labelled(0)
    atoms = given.atoms.copy()
    atoms.info |= {"REF_energy": given.labels.energy, "REF_hessian": given.labels.hessian}
    ase.io.write(tmp_path / "data.xyz", atoms, format="extxyz")
    [found] = read(tmp_path / "data.xyz", quiet=True)
    assert given.labels.hessian is not None
    assert found.labels.hessian is not None
    np.testing.assert_allclose(found.labels.hessian, given.labels.hessian, atol=1e-6)
    assert "REF_hessian" not in found.atoms.info
    without = Labelled(found.atoms, Labels(energy=found.labels.energy))
    assert fingerprint([found]) != fingerprint([without])


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda h: h[:-1], "has the shape (23, 24) for 8 atoms"),
        (lambda h: np.where(np.eye(24) > 0, np.nan, h), "not finite"),
        (lambda h: h + np.triu(np.ones((24, 24)), 1), "differ by up to"),
    ],
)
def test_what_is_no_matrix_of_second_derivatives_is_refused(spoil, said: str, tmp_path: Path) -> None:
    given = labelled(0)
    atoms = given.atoms.copy()
    atoms.info |= {"REF_energy": given.labels.energy, "REF_hessian": spoil(given.labels.hessian)}
    ase.io.write(tmp_path / "data.xyz", atoms, format="extxyz")
    with pytest.raises(DataError) as caught:
        read(tmp_path / "data.xyz", quiet=True)
    assert said in str(caught.value)


def test_a_key_that_is_set_must_be_there(tmp_path: Path) -> None:
    atoms = labelled(0).atoms.copy()
    atoms.info["REF_energy"] = -1.0
    ase.io.write(tmp_path / "data.xyz", atoms, format="extxyz")
    from adiabat.data import LabelKeys

    with pytest.raises(LabelsNotFound, match="no structure has my_hessian"):
        read(tmp_path / "data.xyz", keys=LabelKeys(hessian="my_hessian"), quiet=True)


def test_errors_are_the_products_with_directions_and_vanish_for_what_made_them() -> None:
    targets = make_targets([labelled(0), labelled(1, energy=False)], SHIFT, directions=3, quiet=True)
    assert count_of_kind(targets) == {"energy": 1, "hessian": 2 * 3 * 24}
    assert [target.evaluated_atoms for target in targets] == [8 * 7, 8 * 7]
    batch = assemble(targets, cutoff=3.4, dtype=torch.float64)
    exact = batch.errors(Bumps(*TRUTH))["hessian"]
    other = batch.errors(Bumps(TRUTH[0] + 0.1, TRUTH[1]))["hessian"]
    assert float(exact.detach().abs().max()) < 2e-3 * float(batch.rows["hessian"].targets.abs().max())
    first = targets[0]
    assert first.directions is not None
    changed = Bumps(TRUTH[0] + 0.1, TRUTH[1])
    scale = (TRUTH[0] + 0.1) / TRUTH[0]  # energies are proportional to the height
    assert first.hessian is not None
    expected = (scale - 1) * first.hessian
    np.testing.assert_allclose(other[: 3 * 24].detach().numpy(), expected, atol=5e-3 * np.abs(expected).max())
    assert changed.height.requires_grad
    assert HESSIAN_STEP < 0.02


def test_what_a_baseline_knows_is_taken_off() -> None:
    [target] = make_targets([labelled(0)], EXACT, quiet=True)
    whole = make_targets([labelled(0)], SHIFT, quiet=True)[0]
    assert target.hessian is not None
    assert whole.hessian is not None
    assert np.abs(target.hessian).max() < 2e-3 * np.abs(whole.hessian).max()


def test_energies_and_second_derivatives_alone_teach_what_made_them() -> None:
    targets = make_targets([labelled(seed) for seed in range(6)], SHIFT, quiet=True)
    scales = {"energy": 0.02, "hessian": 0.5}
    model = Bumps(TRUTH[0] + 0.2, TRUTH[1] - 0.2)
    task = Task(model, targets[:5], targets[5:], scales, 0.03, 60)
    config = GradientConfig(batch_atoms=80, average=0.5, stages=(Stage(energy=0.1, hessian=1.0),))
    history = Descent(task, config).run(quiet=True)
    errors = [record.validation_hessian_mae_ev_per_square_angstrom for record in history.epochs]
    assert errors[0] is not None
    assert min(error for error in errors if error is not None) < 0.1 * errors[0]
    assert float(model.height.detach()) == pytest.approx(TRUTH[0], abs=0.03)
    assert float(model.decay.detach()) == pytest.approx(TRUTH[1], abs=0.03)


def test_a_linear_fit_says_that_it_does_not_read_them() -> None:
    first, *others = labelled_cells()
    labels = Labels(first.labels.energy, first.labels.forces, first.labels.stress, np.eye(24))
    with_hessian = Labelled(first.atoms, labels, first.config_type, place=first.place)
    potential = fit([with_hessian, *others, isolated_silicon()], LINEAR, quiet=True)
    notes = potential.metadata["training"]["notes"]
    assert any("second derivatives of 1 structures are not fitted to" in note for note in notes)

"""Features of atoms: what turns with the atoms, what does not, and what knows left from right."""

import runpy
from pathlib import Path

import numpy as np
import pytest
import torch
from ase import Atoms
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from torch import Tensor

from adiabat.basis.features import AtomFeatures
from adiabat.basis.spherical import Kind, places
from adiabat.errors import ConfigurationError, UnknownSpecies
from adiabat.models.messages.harmonics import Harmonics
from adiabat.neighbors import neighbor_graph
from adiabat.system import Batch, Graph

FEATURES = AtomFeatures(species=(1, 8), cutoff_angstrom=4.0, radial=2, l_max=3)


def random_cluster(seed: int) -> Atoms:
    rng = np.random.default_rng(seed)
    return Atoms("OHHOHO", positions=1.5 * np.indices((3, 2, 1)).reshape(3, -1).T + rng.uniform(-0.5, 0.5, (6, 3)))


def graph_of(atoms: Atoms) -> Graph:
    return neighbor_graph(Batch.from_atoms(atoms), FEATURES.cutoff_angstrom)


def turned(atoms: Atoms, matrix: np.ndarray) -> Atoms:
    return Atoms(atoms.numbers, positions=atoms.positions @ matrix.T)


def harmonic_rotation(degree: int, matrix: np.ndarray) -> Tensor:
    """D with Y_l(R u) = D Y_l(u), from many directions."""
    directions = torch.tensor(np.random.default_rng(0).normal(size=(50, 3)))
    directions = directions / directions.norm(dim=-1, keepdim=True)
    own = list(places(degree))
    harmonics = Harmonics(max(degree, 1)).double()
    before, after = harmonics(directions)[:, own], harmonics(directions @ torch.tensor(matrix).T)[:, own]
    return torch.linalg.lstsq(before, after).solution.T


@pytest.mark.parametrize("kind", [Kind(0, 1), Kind(1, -1), Kind(1, 1), Kind(2, 1), Kind(2, -1), Kind(3, 1), Kind(4, 1)])
@settings(deadline=None, max_examples=5, derandomize=True)
@given(st.integers(0, 2**31))
def test_a_tensor_turns_as_its_degree_and_reflects_as_its_parity_says(kind: Kind, seed: int) -> None:
    atoms = random_cluster(seed)
    matrix = Rotation.from_quat(np.random.default_rng(seed).normal(size=4)).as_matrix()
    before = FEATURES.tensors(graph_of(atoms), kind)

    rotated = FEATURES.tensors(graph_of(turned(atoms, matrix)), kind)
    inverted = FEATURES.tensors(graph_of(turned(atoms, -np.eye(3))), kind)

    size = float(before.abs().max())
    assert size > 1e-6
    assert torch.allclose(rotated, before @ harmonic_rotation(kind.degree, matrix).T, rtol=0, atol=1e-12 * (1 + size))
    assert torch.allclose(inverted, kind.parity * before, rtol=0, atol=1e-12 * (1 + size))


@settings(deadline=None, max_examples=10, derandomize=True)
@given(st.integers(0, 2**31))
def test_a_mirror_image_has_the_same_invariants_and_the_opposite_pseudoscalars(seed: int) -> None:
    atoms = random_cluster(seed)
    rotation = Rotation.from_quat(np.random.default_rng(seed).normal(size=4)).as_matrix()
    before = FEATURES.invariants(graph_of(atoms)), FEATURES.pseudoscalars(graph_of(atoms))

    rotated = graph_of(turned(atoms, rotation))
    mirrored = graph_of(turned(atoms, rotation @ np.diag([1.0, 1.0, -1.0])))

    size = float(before[1].abs().max())
    assert size > 1e-6
    assert torch.allclose(FEATURES.invariants(rotated), before[0], rtol=0, atol=1e-11)
    assert torch.allclose(FEATURES.invariants(mirrored), before[0], rtol=0, atol=1e-11)
    assert torch.allclose(FEATURES.pseudoscalars(rotated), before[1], rtol=0, atol=1e-12 * (1 + size))
    assert torch.allclose(FEATURES.pseudoscalars(mirrored), -before[1], rtol=0, atol=1e-12 * (1 + size))


def test_what_lies_in_a_plane_has_no_pseudoscalar() -> None:
    atoms = random_cluster(5)
    atoms.positions[:, 2] = 0.0

    assert float(FEATURES.pseudoscalars(graph_of(atoms)).abs().max()) < 1e-12


def test_no_pseudoscalar_is_there_twice() -> None:
    values = torch.cat([FEATURES.pseudoscalars(graph_of(random_cluster(seed))) for seed in range(120)])
    values = values / values.norm(dim=0)

    overlap = (values.T @ values - torch.eye(values.shape[1])).abs()

    assert float(overlap.max()) < 1 - 1e-9


def test_pseudoscalars_that_cannot_exist_and_unknown_elements_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="no pseudoscalar of 1 channels"):
        AtomFeatures((1,), radial=1).pseudoscalars(graph_of(Atoms("H2", positions=[[0, 0, 0], [0, 0, 1]])))
    with pytest.raises(UnknownSpecies, match="atom 1 of the batch has the number 8"):
        AtomFeatures((1,)).invariants(graph_of(Atoms("HO", positions=[[0, 0, 0], [0, 0, 1]])))
    with pytest.raises(ConfigurationError, match="of the kind 0o"):
        FEATURES.tensors(graph_of(random_cluster(1)), Kind(0, -1))
    with pytest.raises(ConfigurationError, match="ascending"):
        AtomFeatures((8, 1))


def test_the_chirality_example_fails_with_invariants_and_succeeds_with_pseudoscalars() -> None:
    example = runpy.run_path(str(Path(__file__).parents[1] / "examples" / "chirality.py"))

    assert example["accuracy"](example["FEATURES"].invariants) == 0.5
    assert example["accuracy"](example["FEATURES"].pseudoscalars) == 1.0


def test_the_polymorphs_example_tells_most_crystals_right() -> None:
    """57 % of them are of the larger class."""
    example = runpy.run_path(str(Path(__file__).parents[1] / "examples" / "polymorphs.py"))

    assert example["accuracies"]()["all"][1] > 0.85

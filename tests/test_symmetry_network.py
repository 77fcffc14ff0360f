"""Networks on atom-centred symmetry functions: what the functions are, the contract, the command."""

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.neighborlist import neighbor_list
from narrowing import present
from training_structures import FAST, isolated_silicon, labelled_cells, noisy, write_structures

from adiabat.cli.app import run
from adiabat.models.network import Inputs, Perceptron
from adiabat.models.symmetry import SymmetryFunctions, SymmetryNetwork
from adiabat.neighbors import neighbor_graph
from adiabat.potential import Potential, describe_potential, load_potential
from adiabat.system import Batch, DifferentiatingModel
from adiabat.testing import check_energy_model
from adiabat.testing.structures import packing
from adiabat.training import mending

CUTOFF = 4.0
FUNCTIONS = SymmetryFunctions.covering((8, 14), CUTOFF)
QUICK = ("--set", "gradient.epochs=3", "--set", "gradient.batch_atoms=16", "--set", "network.hidden=[4]")
SYMMETRY = ("--model", "network", "--set", "network.descriptor=symmetry", *QUICK)


def made_network(inputs: int = 6) -> SymmetryNetwork:
    generator = torch.Generator().manual_seed(5)
    transform = torch.randn(2, inputs, FUNCTIONS.n_functions, generator=generator, dtype=torch.float64)
    mean = torch.randn(2, FUNCTIONS.n_functions, generator=generator, dtype=torch.float64)
    perceptrons = [Perceptron(inputs, (7, 4), silent=False, generator=generator) for _ in range(2)]
    for perceptron in perceptrons:
        torch.nn.init.normal_(perceptron.direct, generator=generator)
    inputs_seen = Inputs(mean, transform / FUNCTIONS.n_functions)
    return SymmetryNetwork(FUNCTIONS, inputs_seen, perceptrons, scale_ev=0.5).requires_grad_(False)


def switched(distance: float) -> float:
    return math.tanh(1 - distance / CUTOFF) ** 3 if distance < CUTOFF else 0.0


def expected_values(atoms: Atoms) -> np.ndarray:
    """Equations 6 and 8 of J. Behler, J. Chem. Phys. 134, 074106 (2011), written out."""
    centres, others, vectors = neighbor_list("ijD", atoms, CUTOFF)
    found = np.zeros((len(atoms), FUNCTIONS.n_functions))
    for center in range(len(atoms)):
        around = [(int(atoms.numbers[j]), v) for i, j, v in zip(centres, others, vectors, strict=True) if i == center]
        values = []
        for number in FUNCTIONS.species:
            distances = [float(np.linalg.norm(v)) for other, v in around if other == number]
            for width, shell in FUNCTIONS.radial.tolist():
                values.append(sum(math.exp(-width * (r - shell) ** 2) * switched(r) for r in distances))
        for pair in itertools.combinations_with_replacement(FUNCTIONS.species, 2):
            chosen = [
                (v, w)
                for (one, v), (other, w) in itertools.combinations(around, 2)
                if tuple(sorted((one, other))) == pair
            ]
            for width, sign, sharpness in FUNCTIONS.angular.tolist():
                total = 0.0
                for v, w in chosen:
                    a, b, c = (float(np.linalg.norm(x)) for x in (v, w, v - w))
                    lobe = max(0.0, 1 + sign * float(v @ w) / (a * b)) ** sharpness
                    total += lobe * math.exp(-width * (a * a + b * b + c * c)) * switched(a) * switched(b) * switched(c)
                values.append(2 ** (1 - sharpness) * total)
        found[center] = values
    return found


@pytest.mark.parametrize("pbc", [(2, 2, 2), (1, 2, 1)], ids=["wide", "thin"])
def test_the_functions_are_those_of_the_paper(pbc: tuple[int, int, int]) -> None:
    atoms = packing(FUNCTIONS.species, pbc, length=2.1, seed=4)
    graph = neighbor_graph(Batch.from_atoms([atoms]), 6.0)

    found = made_network().invariants(graph).numpy()

    expected = expected_values(atoms)
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_a_network_on_symmetry_functions_keeps_the_contract_of_energy_models() -> None:
    check_energy_model(made_network(), radii=())


def test_rows_of_the_last_layer_give_the_forces_and_the_virial() -> None:
    network = made_network()
    graph = neighbor_graph(Batch.from_atoms([packing(FUNCTIONS.species, (1, 2, 2), length=2.1, seed=2)]), CUTOFF)

    rows, found = network.design_rows(graph), network.differentiated(graph, forces=True, virial=True)

    coefficients = network.coefficients.flatten()
    torch.testing.assert_close(rows.forces @ coefficients, present(found.forces).flatten(), rtol=1e-9, atol=1e-11)
    torch.testing.assert_close(rows.virial @ coefficients, present(found.virial)[0], rtol=1e-9, atol=1e-10)
    torch.testing.assert_close(rows.energy @ coefficients, found.energies.sum(), rtol=1e-9, atol=1e-10)
    torch.testing.assert_close(network.with_coefficients(2 * coefficients).coefficients, 2 * network.coefficients)


def test_it_is_stored_described_and_trained_like_any_other(tmp_path: Path) -> None:
    network = made_network()
    assert isinstance(network, DifferentiatingModel)
    potential = Potential([network])
    potential.save(tmp_path / "net.adiabat")
    atoms = packing(FUNCTIONS.species, (1, 1, 1), length=2.1, seed=1)
    again = load_potential(tmp_path / "net.adiabat")(atoms)
    assert torch.equal(present(again.forces), present(potential(atoms).forces))
    assert "10 radial and 12 angular symmetry functions" in describe_potential(potential).parts[0].details


@pytest.mark.parametrize("start", ["linear", "random"])
def test_the_command_trains_on_symmetry_functions(
    start: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(mending, "PACKINGS", 10)
    write_structures(tmp_path / "train.xyz", [*noisy(labelled_cells()), isolated_silicon()])
    of_expansion = FAST if start == "linear" else FAST[2:]  # a preset of the expansion has no effect without one
    settings = (*SYMMETRY, *of_expansion, "--set", f"network.start={start}")

    assert run(["train", "train.xyz", "--out", "si.adiabat", *settings]) == 0

    assert "trained on labels of" in capsys.readouterr().out
    assert type(load_potential("si.adiabat").parts[-1]) is SymmetryNetwork


def test_a_preset_of_invariants_beside_symmetry_functions_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_structures(tmp_path / "train.xyz", labelled_cells())
    settings = (*SYMMETRY, "--set", "network.size=small")

    assert run(["train", str(tmp_path / "train.xyz"), "--out", str(tmp_path / "si.adiabat"), *settings]) == 2

    assert "size would have no effect with descriptor=symmetry" in " ".join(capsys.readouterr().err.split())

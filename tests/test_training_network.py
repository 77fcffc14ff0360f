"""``adiabat train --model network``, as a user calls it."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from made_networks import SMALL
from narrowing import present
from training_structures import FAST, cells, isolated_silicon, labelled_cells, noisy, trained, write_structures

from adiabat.cli.app import run
from adiabat.models import LinearACE
from adiabat.models.ace.compiled_invariants import CompiledInvariants
from adiabat.models.network import InvariantNetwork
from adiabat.neighbors import neighbor_graph
from adiabat.physics import ZBL
from adiabat.potential import Potential, load_potential
from adiabat.system import Batch
from adiabat.testing import check_potential
from adiabat.training import mending
from adiabat.training.gradient.gradients import Gradients
from adiabat.training.mending import holes_left
from adiabat.training.network import components_of, inputs_of, on_basis

QUICK = ("--set", "gradient.epochs=3", "--set", "gradient.batch_atoms=16", "--set", "network.hidden=[4]")
NETWORK = ("--model", "network", *FAST, *QUICK)


@pytest.fixture(autouse=True)
def few_packings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Holes are looked for in fewer."""
    monkeypatch.setattr(mending, "PACKINGS", 10)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with training structures, labelled with noise, and test structures."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    write_structures(tmp_path / "train.xyz", [*noisy(labelled_cells()), isolated_silicon()])
    write_structures(tmp_path / "test.xyz", labelled_cells(3, first_seed=100))
    return tmp_path


def forces(potential: Potential) -> np.ndarray:
    return present(potential(cells(1, first_seed=100)[0]).forces).numpy()


def test_the_command_trains_a_network_beside_an_expansion_and_says_so(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["train", "train.xyz", "--test", "test.xyz", "--out", "si.adiabat", *NETWORK]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "parameters, cutoff 4.00 Å, trained on labels of 6 energy, 144 forces, 36 stress" in printed
    assert "mean absolute errors on 1 structures that were not trained on (epoch" in printed
    assert {file.name for file in folder.iterdir()} == {
        "train.xyz",
        "test.xyz",
        "si.adiabat",
        "si.adiabat.training.csv",
    }
    with (folder / "si.adiabat.training.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 3
    potential = load_potential("si.adiabat")
    assert [type(part) for part in potential.parts[2:]] == [LinearACE, InvariantNetwork]
    assert len(potential.metadata["training"]["history"]["epochs"]) == 3

    assert run(["info", "si.adiabat", "--json", "info.json"]) == 0
    printed = capsys.readouterr().out
    assert "validation" in printed
    assert "perceptrons" in printed
    assert json.loads(Path("info.json").read_text())["metadata"]["training"]["validation_structures"] == 1


def test_how_a_training_goes_is_written_as_events_and_drawn(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    few = ("--set", "repulsion.enabled=false", "--tensorboard", "events")
    assert run(["train", "train.xyz", "--out", "si.adiabat", *NETWORK, *few]) == 0
    [events] = (folder / "events").iterdir()
    written = events.read_bytes()
    for tag in (b"training/loss", b"validation/force_mae_ev_per_angstrom"):
        assert written.count(tag) == 3
    assert run(["info", "si.adiabat", "--pictures", "drawn"]) == 0
    assert {file.name for file in (folder / "drawn").iterdir()} == {
        "loss.png",
        "validation_energy_mae_mev_per_atom.png",
        "validation_force_mae_ev_per_angstrom.png",
        "validation_stress_mae_gpa.png",
    }
    assert run(["train", "train.xyz", "--out", "ace.adiabat", *FAST, "--set", "repulsion.enabled=false"]) == 0
    capsys.readouterr()
    assert run(["info", "ace.adiabat", "--pictures", "drawn"]) == 2
    assert "holds no history of epochs" in capsys.readouterr().err


def test_what_is_trained_keeps_the_contract_of_potentials(folder: Path) -> None:
    assert run(["train", "train.xyz", "--out", "si.adiabat", *NETWORK, "--set", "network.start=random"]) == 2
    random = ("--set", "network.start=random", "--set", "basis.cutoff_angstrom=4.0", "--set", "network.inputs=4")
    assert run(["train", "train.xyz", "--out", "si.adiabat", "--model", "network", *QUICK, *random]) == 0
    potential = load_potential("si.adiabat")
    assert [type(part) for part in potential.parts[2:]] == [InvariantNetwork]
    _, repulsion, network = potential.parts
    assert isinstance(repulsion, ZBL)
    assert isinstance(network, InvariantNetwork)
    inner = network.basis.inner[14, 14]
    check_potential(potential, radii=(*repulsion.radii[14, 14], inner.radius, inner.radius - inner.width))


def test_the_report_of_an_evaluation_shows_how_the_training_went(folder: Path) -> None:
    assert run(["train", "train.xyz", "--out", "si.adiabat", *NETWORK]) == 0
    assert run(["evaluate", "si.adiabat", "test.xyz", "--report", "report.html"]) == 0
    page = Path("report.html").read_text()
    for title in ("Training: loss", "Training: energies", "Training: forces", "Training: stresses"):
        assert title in page


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--model", "netwrk"), "'ace', 'network' or 'messages'"),
        (("--set", "gradient.epochs=3"), "gradient would have no effect with model=ace"),
        (("--max-minutes", "3"), "gradient would have no effect with model=ace"),
        (("--tensorboard", "events"), "a linear fit has no epochs"),
        (
            ("--model", "network", "--set", "network.start=random", "--set", "search.seed=1"),
            "search would have no effect",
        ),
        (("--model", "network", "--max-minutes", "0"), "greater than 0"),
        (("--model", "network", "--set", "network.hidden=[]"), "at least 1"),
        (("--model", "network", "--set", "network.hiden=[3]"), "did you mean 'hidden'?"),
        (("--model", "network", "--set", "gradient.validation_fraction=0.9"), "less than 0.5"),
        (("--model", "network", "--set", "gradient.stages=[{start: 0.3}]"), "stages begin at 0"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_done(
    arguments: tuple[str, ...], said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["train", "train.xyz", "--out", "si.adiabat", *arguments]) == 2
    assert said in " ".join(capsys.readouterr().err.split())
    assert {file.name for file in folder.iterdir()} == {"train.xyz", "test.xyz"}


class Killed(BaseException):
    """Stands for a death that nothing catches."""


def test_a_run_that_died_goes_on_to_the_same_bits_and_only_as_it_began(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("adiabat.training.checkpoint.SECONDS_BETWEEN_SAVES", 0.0)
    monkeypatch.setattr("adiabat.training.checkpoint.MOST_SAVING", 1e9)
    assert run(["train", "train.xyz", "--out", "whole.adiabat", *NETWORK]) == 0
    of, calls = Gradients.of, [0]

    def dying(self, *arguments):
        calls[0] += 1
        if calls[0] == 6:
            raise Killed
        return of(self, *arguments)

    with monkeypatch.context() as context:
        context.setattr(Gradients, "of", dying)
        with pytest.raises(Killed):
            run(["train", "train.xyz", "--out", "si.adiabat", *NETWORK])
    capsys.readouterr()
    assert run(["train", "train.xyz", "--out", "si.adiabat", *NETWORK]) == 2
    assert "go on with --resume" in capsys.readouterr().err
    assert run(["train", "train.xyz", "--out", "si.adiabat", *NETWORK, "--resume", "--set", "gradient.clip=3.0"]) == 2
    assert "gradient.clip was 5.0 and is 3.0" in capsys.readouterr().err
    assert run(["train", "test.xyz", "--out", "si.adiabat", *NETWORK, "--resume"]) == 2
    assert "is of another run: " in capsys.readouterr().err
    assert run(["train", "train.xyz", "--out", "si.adiabat", *NETWORK, "--resume"]) == 0
    np.testing.assert_array_equal(forces(load_potential("si.adiabat")), forces(load_potential("whole.adiabat")))


def test_the_inputs_of_a_network_are_uncorrelated_with_variance_one() -> None:
    structures, linear = labelled_cells(), SMALL.basis
    graph = neighbor_graph(Batch.from_atoms([structure.atoms for structure in structures]), linear.cutoff)
    inputs = inputs_of(on_basis(linear), structures, 3, quiet=True)
    features = CompiledInvariants(linear).values(graph)

    x = (features - inputs.mean[1]) @ inputs.transform[1].T

    np.testing.assert_allclose(x.mean(0).numpy(), 0, atol=1e-8)
    np.testing.assert_allclose((x.T @ x / len(x)).numpy(), np.eye(3), atol=1e-6)
    assert not inputs.transform[0].any()  # there is no oxygen in the data


def test_directions_that_hardly_vary_are_not_blown_up() -> None:
    covariance = torch.diag(torch.tensor([4.0, 1.0, 0.0], dtype=torch.float64))
    covariance[0, 1] = covariance[1, 0] = 2.0 * (1 - 1e-9)  # the first two are all but one

    found = components_of(covariance, 3)

    variances = torch.einsum("if,fg,ig->i", found, covariance, found)
    assert float(variances[0]) == pytest.approx(1.0)
    assert variances[1:].abs().max() < 1e-4
    assert found.abs().max() < 32


def test_holes_of_a_potential_whose_prior_cannot_mend_them_are_said() -> None:
    constants, repulsion, expansion = trained().parts
    assert isinstance(expansion, LinearACE)
    turned = LinearACE(expansion.basis, -100 * expansion.coefficients)
    sound, hollow = (Potential([constants, repulsion, one]) for one in (expansion, turned))

    assert holes_left(sound, labelled_cells(), quiet=True) == ()
    [note] = holes_left(hollow, labelled_cells(), quiet=True)

    assert "holes are left, such as" in note

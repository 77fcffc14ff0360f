"""A potential in single precision: what it evaluates, and what follows from it, is in single precision."""

from pathlib import Path

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk
from made_potentials import made_potential
from narrowing import present

from adiabat.errors import CheckpointError, ConfigurationError, StructureError
from adiabat.evaluation import compare, training_distance
from adiabat.models import LinearACE
from adiabat.neighbors import neighbor_graph
from adiabat.potential import Potential, load_potential
from adiabat.potential.scales import energy_scales, force_scales, stress_scales
from adiabat.simulate import SimulationConfig, read_trajectory, simulate
from adiabat.system import Batch, Labelled, Labels
from adiabat.uncertainty import FeatureStatistics

DOUBLE = made_potential()
SINGLE = DOUBLE.to(dtype=torch.float32)
ALL = ("energy", "energies", "forces", "stress")
ROUNDING = 1e-5
"""float32 carries 6e-8 of each term; hundreds of terms are summed."""


def silicon() -> Atoms:
    atoms = bulk("Si", cubic=True)
    atoms.numbers[3] = 8
    atoms.rattle(0.1, seed=1)
    return atoms


def nve(steps: int) -> SimulationConfig:
    values = {"ensemble": "nve", "steps": steps, "timestep_fs": 1.0, "temperature_k": 300.0}
    return SimulationConfig.parse(values | {"output": {"forces": True, "checkpoint_every": 5}})


def test_a_structure_is_evaluated_in_the_type_of_the_potential() -> None:
    batch = Batch.from_atoms(silicon())
    exact, found = (potential(silicon(), want=ALL) for potential in (DOUBLE, SINGLE))

    scales = {
        "energy": energy_scales(DOUBLE.parts, neighbor_graph(batch, DOUBLE.cutoff)),
        "forces": force_scales(present(exact.forces), batch),
        "stress": stress_scales(present(exact.stress)),
    }
    for name in ALL:
        assert getattr(exact, name).dtype == torch.float64
        assert getattr(found, name).dtype == torch.float32
    for name, scale in scales.items():
        difference = (getattr(found, name).double() - getattr(exact, name)).abs().max() / scale
        assert 0 < float(difference) < ROUNDING


def test_a_potential_keeps_its_type_until_it_is_given_another(tmp_path: Path) -> None:
    DOUBLE.save(tmp_path / "p.adiabat")
    loaded = load_potential(tmp_path / "p.adiabat", dtype=torch.float32)

    assert loaded.dtype == loaded.to(device="cpu").dtype == torch.float32
    assert loaded.to(dtype=torch.float64).dtype == load_potential(tmp_path / "p.adiabat").dtype == torch.float64
    assert loaded.device == torch.device("cpu")


@pytest.mark.parametrize("as_graph", [False, True])
def test_a_batch_of_another_type_is_refused_with_the_way_to_change_it(as_graph: bool) -> None:
    batch = Batch.from_atoms(silicon())
    with pytest.raises(StructureError, match=r"float64.*\n.*float32.*\n.*batch\.to\(dtype=") as caught:
        SINGLE(neighbor_graph(batch, SINGLE.cutoff) if as_graph else batch)
    assert caught.value.mend is not None
    assert SINGLE(batch.to(dtype=SINGLE.dtype)).forces is not None


def test_potentials_of_different_types_make_no_sum() -> None:
    with pytest.raises(ConfigurationError, match="float32") as caught:
        _ = DOUBLE + SINGLE
    assert "to(dtype=" in str(caught.value)
    assert (SINGLE + SINGLE).dtype == torch.float32


def test_the_calculator_evaluates_in_the_type_of_its_potential() -> None:
    atoms = silicon()
    atoms.calc = SINGLE.calculator()
    found = SINGLE(silicon(), want=ALL)

    assert found.energy is not None
    assert atoms.get_potential_energy() == float(found.energy[0])
    assert (atoms.get_forces() == present(found.forces).numpy()).all()
    assert atoms.get_stress(voigt=False) == pytest.approx(present(found.stress)[0].numpy())


def test_dynamics_move_in_double_precision_under_forces_in_single(tmp_path: Path) -> None:
    for name, potential in (("double", DOUBLE), ("single", SINGLE)):
        simulate(silicon(), potential, nve(20), folder=tmp_path / name, quiet=True)
    double, single = (read_trajectory(tmp_path / name / "trajectory.h5") for name in ("double", "single"))

    forces = single[0].get_forces()
    assert (forces == forces.astype(np.float32)).all()
    assert (single[0].positions == silicon().positions).all()
    apart = np.abs(single[-1].positions - double[-1].positions).max()
    assert 0 < apart < 1e-5


def test_a_run_in_single_precision_resumes_to_the_same_bits(tmp_path: Path) -> None:
    for name, resume in (("whole", False), ("parts", False), ("parts", True)):
        steps = 10 if name == "parts" and not resume else 20
        simulate(silicon(), SINGLE, nve(steps), folder=tmp_path / name, resume=resume, quiet=True)
    whole, parts = (read_trajectory(tmp_path / name / "trajectory.h5")[-1] for name in ("whole", "parts"))

    assert (whole.positions == parts.positions).all()
    assert (whole.get_forces() == parts.get_forces()).all()


def test_a_run_is_not_resumed_in_another_precision(tmp_path: Path) -> None:
    simulate(silicon(), DOUBLE, nve(5), folder=tmp_path, quiet=True)
    with pytest.raises(CheckpointError, match="precision was float64, is now float32"):
        simulate(silicon(), SINGLE, nve(10), folder=tmp_path, resume=True, quiet=True)


def test_a_potential_in_single_precision_is_compared_with_labels() -> None:
    expansion = DOUBLE.parts[2]
    assert isinstance(expansion, LinearACE)
    features = expansion.features(neighbor_graph(Batch.from_atoms(silicon()), DOUBLE.cutoff))
    covariance = torch.eye(features.shape[1], dtype=torch.float64).repeat(2, 1, 1)
    statistics = FeatureStatistics((8, 14), torch.ones(2), features.mean(0).repeat(2, 1), covariance)
    structure = Labelled(silicon(), Labels(energy=0.0, forces=np.zeros((8, 3))))

    def compared(potential: Potential):
        with_distance = Potential(
            potential.parts, attachments={"feature_statistics": statistics}, dtype=potential.dtype
        )
        return compare(with_distance, [structure], distance=training_distance(with_distance), quiet=True).compared[0]

    double, single = compared(DOUBLE), compared(SINGLE)
    assert single.energy_error_ev == pytest.approx(double.energy_error_ev, rel=1e-6)
    assert single.distance == pytest.approx(double.distance, rel=1e-4)

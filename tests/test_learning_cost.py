"""What learning says that it will cost, before it begins."""

from dataclasses import replace
from pathlib import Path

import pytest
from ase.build import bulk

from adiabat.errors import OracleError, ResourceError
from adiabat.learning import CostEstimate, LabelStore, LearnConfig, Oracle, Workers
from adiabat.learning.estimate import forecast
from adiabat.learning.extent import Extent
from adiabat.learning.first_structures import around, isolated_atoms
from adiabat.learning.ledger import read_ledger
from adiabat.learning.oracle_trial import OracleTrial, try_oracle
from adiabat.learning.training_trial import TrainingTrial, try_training

EXTENT = Extent(budget=50, first=20, batch=10, rebuild=1.5, explorers=2, steps=1000, frames=20, steps_validated=4000)
ASKED = OracleTrial(
    atoms=8, seconds=10.0, lone_atom_seconds=3.0, begin_seconds=2.0, memory_bytes=2_000_000_000, scaling=3.0
)
TRAINED = TrainingTrial(
    tried=40,
    fit_seconds=4.0,
    search_seconds=5.0,
    last_search_seconds=20.0,
    update_seconds=2.0,
    step_seconds=0.001,
    start_seconds=0.5,
    judging_seconds=0.1,
    potential_bytes=1_000_000,
    frame_bytes=10_000,
    memory_bytes=0,
)


def estimated(folder: Path, *, sizes: tuple[int, ...] = (8,) * 19, workers: int = 1) -> CostEstimate:
    return forecast(EXTENT, sizes, ASKED, TRAINED, workers=workers, folder=folder)


def test_the_whole_is_the_sum_of_its_parts(tmp_path: Path) -> None:
    """By hand: 49 labels of 10 s, 20 + 10 + 10 + 10; trained on 20, 40 (more than 30) and in the end 50, updated to 30 and 50.

    A search for holes takes 5 s, in the last training 20; trainings make 2.5, or between 1 and 6.
    """
    found = estimated(tmp_path)
    exploration = 2.0 + 2 * (0.5 + 1000 * 0.001 + 20 * 0.1)
    assert found.generations == 4
    assert found.oracle_seconds == pytest.approx(3 + 49 * 10)
    assert found.seconds_per_exploration == pytest.approx(exploration)
    assert found.seconds == pytest.approx(3 + 490 + (2 + 4 + 5 + 2 * 12.5 + 50) + 2 * 2 + 4 * exploration + 4)
    assert found.seconds - found.seconds_low == pytest.approx(1.5 * (5 + 5 + 20))
    assert found.seconds_high - found.seconds == pytest.approx(3.5 * (5 + 5 + 20))
    assert found.seconds_at_end == pytest.approx((5 + 50) + 4)
    assert found.seconds_at_least == pytest.approx(3 + 190 + (2 + 12.5) + exploration + (5 + 50) + 4)
    assert found.steps == 8000
    assert found.seconds_without_learning == pytest.approx(80_000)
    assert found.speed_up == pytest.approx(80_000 / found.seconds)
    assert found.disk_gb > (4 + 4 * 2 * 20 * 0.01) / 1000


def test_several_workers_shorten_what_the_oracle_takes_and_hold_more(tmp_path: Path) -> None:
    one, four = estimated(tmp_path), estimated(tmp_path, workers=4)
    assert one.seconds - four.seconds == pytest.approx(0.75 * one.oracle_seconds)
    assert four.oracle_seconds == one.oracle_seconds
    assert four.memory_gb - one.memory_gb == pytest.approx(6.0)


def test_larger_structures_cost_by_the_power_of_their_atoms(tmp_path: Path) -> None:
    assert estimated(tmp_path, sizes=(16,) * 19).oracle_seconds == pytest.approx(3 + 49 * 80)


def test_a_run_that_the_machine_cannot_hold_is_refused(tmp_path: Path) -> None:
    found = replace(estimated(tmp_path), memory_available_gb=1.0, disk_free_gb=100.0)
    with pytest.raises(ResourceError) as error:
        found.require_resources(tmp_path)
    assert "1 GB are free" in str(error.value)
    assert "--workers" in str(error.value)
    with pytest.raises(ResourceError, match="of disk"):
        replace(found, memory_available_gb=None, disk_free_gb=0.001).require_resources(tmp_path)
    replace(found, memory_available_gb=100.0).require_resources(tmp_path)


def test_an_estimate_comes_back_from_its_file(tmp_path: Path) -> None:
    found = estimated(tmp_path)
    found.save(tmp_path / "estimate.json")
    assert CostEstimate.load(tmp_path / "estimate.json") == found


def test_the_extent_is_what_a_run_does_that_spends_its_budget() -> None:
    found = Extent.of(LearnConfig.parse({"budget": 18, "first": 14, "batch": 3, "validation": None}))
    assert (found.generations, found.trained, found.updates, found.steps_validated) == (3, (14, 18), 2, 0)
    always = Extent.of(
        LearnConfig.parse({"budget": 18, "first": 14, "batch": 3, "rebuild": 1, "acquisition": "random"})
    )
    assert (always.trained, always.updates) == ((14, 17, 18, 18), 0)
    few = Extent.of(LearnConfig.parse({"budget": 18, "first": 14, "explore": {"explorers": 1}}))
    assert (few.batch, few.generations) == (1, 5)  # an explorer is followed to its first unsure frame


def test_the_oracle_is_tried_on_what_it_is_asked_for_anyway(tmp_path: Path) -> None:
    start = bulk("Cu", cubic=True)
    first = [*isolated_atoms([start]), *around(start, 12, volumes=(0.9, 1.1), seed=0)]
    found = try_oracle(
        first, Oracle.named("ase.calculators.emt:EMT"), tmp_path / "labels.db", workers=Workers(timeout_s=60.0)
    )
    entries = read_ledger(tmp_path / "labels.db")
    assert [entry.config_type for entry in entries] == ["IsolatedAtom", "made"]
    assert found.seconds == entries[1].seconds
    assert found.atoms == 4
    again = try_oracle(
        first, Oracle.named("ase.calculators.emt:EMT"), tmp_path / "labels.db", workers=Workers(timeout_s=60.0)
    )
    assert again.seconds == found.seconds  # not asked again
    assert len(LabelStore(tmp_path / "labels.db").labelled()) == 2


def test_an_oracle_that_labels_nothing_is_named(tmp_path: Path) -> None:
    first = around(bulk("Si", cubic=True), 12, volumes=(0.9, 1.1), seed=0)
    with pytest.raises(OracleError) as error:
        try_oracle(
            first, Oracle.named("ase.calculators.emt:EMT"), tmp_path / "labels.db", workers=Workers(timeout_s=60.0)
        )
    assert "a trial gave no label of 8 structures" in str(error.value)
    assert "No EMT-potential for Si" in str(error.value)


def test_a_training_is_tried_without_an_oracle() -> None:
    start = bulk("Cu", cubic=True)
    structures = [*isolated_atoms([start]), *around(start, 12, volumes=(0.9, 1.1), seed=0)]
    config = LearnConfig.parse({"train": {"basis": {"size": "small", "cutoff_angstrom": 4.0}}})
    found = try_training(structures, [start], config)
    assert found.tried == 13
    assert 0 < found.search_seconds < found.last_search_seconds
    assert min(found.fit_seconds, found.update_seconds, found.step_seconds) > 0
    assert found.training_seconds(26) == pytest.approx(2 * found.fit_seconds + 2.5 * found.search_seconds)
    last = found.training_seconds(26, last=True)
    assert last == pytest.approx(2 * found.fit_seconds + 2.5 * found.last_search_seconds)
    assert found.potential_bytes > 10_000
    assert found.frame_bytes > 4 * 2 * 3 * 8  # positions and velocities of four atoms


def test_where_the_oracle_fails_at_a_structure_it_is_tried_on_another(tmp_path: Path) -> None:
    """Silicon is what EMT knows nothing of."""
    near = around(bulk("Cu", cubic=True), 8, volumes=(0.9, 1.1), seed=0)
    first = [*near[:4], *around(bulk("Si", cubic=True), 2, volumes=(0.9, 1.1), seed=0), *near[4:]]
    found = try_oracle(
        first, Oracle.named("ase.calculators.emt:EMT"), tmp_path / "labels.db", workers=Workers(timeout_s=60.0)
    )
    assert [entry.state for entry in read_ledger(tmp_path / "labels.db")] == ["failed", "done"]
    assert found.atoms == 4

"""Labels by the workers of a Dask scheduler."""

from collections.abc import Iterator
from pathlib import Path

import distributed
import pytest
from ase.build import bulk

from adiabat.errors import OracleError
from adiabat.learning import LabelStore, Oracle, Workers, label
from adiabat.system import Labelled


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """The address of one with two workers, each a process."""
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="") as cluster:
        yield str(cluster.scheduler_address)  # pyright: ignore[reportAttributeAccessIssue] (it may be a coroutine elsewhere)


def rattled(count: int) -> list[Labelled]:
    found = []
    for seed in range(count):
        atoms = bulk("Cu", cubic=True)
        atoms.rattle(0.05, seed=seed)
        found.append(Labelled(atoms, place=f"structure {seed}"))
    return found


def test_labels_of_a_cluster_are_those_of_this_machine(scheduler: str, tmp_path: Path) -> None:
    oracle, structures = Oracle.named("ase.calculators.emt:EMT"), rattled(5)
    there = label(structures, oracle, tmp_path / "there.db", workers=Workers(cluster=scheduler), quiet=True)
    here = label(structures, oracle, tmp_path / "here.db", quiet=True)
    assert (there.done, there.code) == (here.done, here.code) == (5, here.code)
    one, other = (
        {s.place: s.labels.energy for s in LabelStore(tmp_path / name).labelled()} for name in ("here.db", "there.db")
    )
    assert sorted(map(str, one.values())) == sorted(map(str, other.values()))


def test_what_an_oracle_refuses_on_a_cluster_is_a_failure_with_its_reason(scheduler: str, tmp_path: Path) -> None:
    silicon = [Labelled(bulk("Si", cubic=True), place="silicon")]
    oracle = Oracle.named("ase.calculators.emt:EMT")
    summary = label(silicon, oracle, tmp_path / "labels.db", workers=Workers(cluster=scheduler), quiet=True)
    assert "No EMT-potential for Si" in next(iter(summary.failed.values()))


def test_an_oracle_that_a_cluster_does_not_have_is_refused(scheduler: str, tmp_path: Path) -> None:
    oracle = Oracle.named("no.such.module:make")
    with pytest.raises(OracleError, match="cannot be used"):
        label(rattled(1), oracle, tmp_path / "labels.db", workers=Workers(cluster=scheduler), quiet=True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("jobs: 2", "KeyError: 'cluster'"),
        ("{cluster: NoSuchCluster, jobs: 2}", "NoSuchCluster"),
    ],
)
def test_a_file_that_names_no_cluster_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "cluster.yaml").write_text(text)
    workers = Workers(cluster=str(tmp_path / "cluster.yaml"))
    with pytest.raises(OracleError, match=said):
        label(rattled(1), Oracle.named("ase.calculators.emt:EMT"), tmp_path / "labels.db", workers=workers, quiet=True)

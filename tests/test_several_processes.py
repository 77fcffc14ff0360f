"""Training by gradients with several processes, as torchrun starts them."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from narrowing import present
from training_structures import cells, isolated_silicon, labelled_cells, noisy, write_structures

from adiabat.cli.app import run
from adiabat.errors import ConfigurationError
from adiabat.potential import load_potential
from adiabat.training import TrainConfig, train
from adiabat.training.gradient.processes import ALONE, Processes, launched_processes

SETTINGS = {
    "basis.cutoff_angstrom": 4.0,
    "network.start": "random",
    "network.inputs": 4,
    "network.hidden": "[3]",
    "repulsion.enabled": "false",
    "gradient.epochs": 4,
    "gradient.batch_atoms": 24,
}
COMMAND = ["train", "train.xyz", "--model", "network", *(w for k, v in SETTINGS.items() for w in ("--set", f"{k}={v}"))]


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("localhost", 0))
        return bound.getsockname()[1]


def together(commands: list[list[str]]) -> list[tuple[int, str]]:
    """What processes that were started as torchrun does return and say."""
    port = free_port()
    running = [
        subprocess.Popen(
            [sys.executable, "-c", "from adiabat.cli import main; main()", *command],
            env={
                **os.environ,
                "RANK": str(rank),
                "WORLD_SIZE": str(len(commands)),
                "MASTER_ADDR": "localhost",
                "MASTER_PORT": str(port),
                "COLUMNS": "250",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank, command in enumerate(commands)
    ]
    try:
        said = [process.communicate(timeout=240)[0] for process in running]
        return [(process.returncode, output) for process, output in zip(running, said, strict=True)]
    finally:
        for process in running:
            process.kill()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_structures(tmp_path / "train.xyz", [*noisy(labelled_cells(13)), isolated_silicon()])
    return tmp_path


def test_two_processes_find_what_one_finds_and_only_the_first_one_writes_and_speaks(folder: Path) -> None:
    assert run([*COMMAND, "--out", "one.adiabat"]) == 0
    (first, said), (second, silent) = together([[*COMMAND, "--out", "two.adiabat"]] * 2)
    assert (first, second) == (0, 0), said + silent
    assert "written: two.adiabat" in said
    assert silent == ""
    [atoms] = cells(1, first_seed=50)
    one, two = (load_potential(folder / name) for name in ("one.adiabat", "two.adiabat"))
    torch.testing.assert_close(present(one(atoms).forces), present(two(atoms).forces), rtol=1e-7, atol=1e-9)
    losses = [[epoch["loss"] for epoch in p.metadata["training"]["history"]["epochs"]] for p in (one, two)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-9)


def test_processes_with_other_settings_are_refused_by_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    same = {"data": "a", "settings": "b", "first parameters": "c"}
    each = [same, {**same, "settings": "x", "first parameters": "y"}]

    def gather(found: list[object], own: object) -> None:
        assert own in each
        found[:] = each

    monkeypatch.setattr(torch.distributed, "all_gather_object", gather)
    for rank, own in enumerate(each):
        with pytest.raises(ConfigurationError) as caught:
            Processes(rank, 2).require_same(own)
        assert "process 1 has other settings and first parameters than process 0" in str(caught.value)
        assert f"process {rank} of 2" in str(caught.value)


def test_processes_that_are_alike_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """And those that train alone ask no one."""
    same, asked = {"data": "a"}, list[object]()

    def gather(found: list[object], own: object) -> None:
        asked.append(own)
        found[:] = [own] * 2

    monkeypatch.setattr(torch.distributed, "all_gather_object", gather)
    Processes(1, 2).require_same(same)
    ALONE.require_same(same)
    assert asked == [same]


def test_shares_of_a_batch_are_all_of_it_and_alike_in_atoms() -> None:
    atoms = [3, 50, 8, 20, 21, 7, 9]
    shares = [Processes(rank, 2).share([0, 1, 2, 3, 4, 6], atoms) for rank in (0, 1)]
    assert sorted([*shares[0], *shares[1]]) == [0, 1, 2, 3, 4, 6]
    assert ALONE.share([4, 2], atoms) == [4, 2]


def test_a_linear_fit_by_several_processes_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="a linear fit is one process with several threads"):
        train(labelled_cells(), TrainConfig(), processes=Processes(0, 2), quiet=True)


def test_an_environment_that_lacks_what_torchrun_says_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.delenv("RANK", raising=False)
    with pytest.raises(ConfigurationError, match="RANK"), launched_processes():
        pass

"""What long runs share: files that are whole or not there, a clean stop, progress, provenance."""

import errno
import json
import os
import signal
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from adiabat.errors import OutputError
from adiabat.runs import (
    StopRequest,
    atomic_path,
    atomic_write_bytes,
    atomic_write_text,
    progress,
    provenance,
    require_writable,
    track,
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_whole_and_takes_the_place_of_an_older_one(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"

    atomic_write_text(file, "one")
    atomic_write_bytes(file, b"two")

    assert file.read_text() == "two"
    assert names(tmp_path) == ["a.txt"]


def test_a_file_has_the_permissions_that_any_new_file_has(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()

    atomic_write_text(tmp_path / "atomic", "")

    assert stat.S_IMODE((tmp_path / "atomic").stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


def test_the_old_file_stands_until_the_block_ends(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("old")

    with atomic_path(file) as temporary:
        temporary.write_text("new")
        assert file.read_text() == "old"
        assert temporary.parent == tmp_path

    assert file.read_text() == "new"


@pytest.mark.parametrize("failure", [KeyboardInterrupt, ValueError, OSError(errno.ENOSPC, "No space left on device")])
def test_a_block_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path, failure: BaseException) -> None:
    file = tmp_path / "a.txt"
    file.write_text("old")

    def write_half() -> None:
        with atomic_path(file) as temporary:
            temporary.write_text("half")
            raise failure

    with pytest.raises((KeyboardInterrupt, ValueError, OutputError)):
        write_half()

    assert file.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_full_disk_is_said_with_the_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(OutputError, match=r"(?s)a\.txt: cannot be written: No space left on device.*free some space"):
        atomic_write_text(tmp_path / "a.txt", "x")
    assert names(tmp_path) == []


def test_a_folder_is_no_output_and_stays(tmp_path: Path) -> None:
    for write in (require_writable, lambda file: atomic_write_text(file, "")):
        with pytest.raises(OutputError, match="is a folder"):
            write(tmp_path)

    assert tmp_path.is_dir()


def test_a_pipe_or_a_device_is_no_output_and_stays(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    for write in (require_writable, lambda file: atomic_write_text(file, "")):
        with pytest.raises(OutputError, match="is a device or a pipe"):
            write(tmp_path / "pipe")

    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_a_missing_folder_is_named_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=f"mkdir -p {tmp_path / 'none'}"):
        require_writable(tmp_path / "none" / "a.txt")
    with pytest.raises(OutputError, match="cannot be written"):
        atomic_write_text(tmp_path / "none" / "a.txt", "")


def test_a_folder_without_permission_is_named_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)

    with pytest.raises(OutputError, match="not writable"):
        require_writable(tmp_path / "a.txt")


def test_an_output_that_can_be_written_passes_and_is_not_created(tmp_path: Path) -> None:
    require_writable(tmp_path / "a.txt")

    assert names(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_asks_for_a_stop_and_a_second_one_is_handled_as_before(number: signal.Signals) -> None:
    received = []
    before = signal.signal(number, lambda *_: received.append(number))
    try:
        with StopRequest() as stop:
            assert not stop.requested
            signal.raise_signal(number)
            assert stop.requested
            assert not received
            signal.raise_signal(number)
            assert received == [number]
        signal.raise_signal(number)
        assert received == [number, number]
    finally:
        signal.signal(number, before)


def test_the_handlers_are_restored_when_no_signal_came() -> None:
    before = signal.getsignal(signal.SIGINT)

    with StopRequest():
        assert signal.getsignal(signal.SIGINT) != before

    assert signal.getsignal(signal.SIGINT) == before


def test_work_in_another_thread_runs_without_touching_signals() -> None:
    found = []

    def work() -> None:
        with StopRequest() as stop:
            found.append(stop.requested)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert found == [False]


@pytest.mark.parametrize("quiet", [True, False])
def test_tracking_yields_every_item_in_order(quiet: bool, capfd: pytest.CaptureFixture[str]) -> None:
    assert list(track(range(5), "counting", quiet=quiet)) == [0, 1, 2, 3, 4]
    assert list(track(iter([]), "counting", quiet=quiet)) == []


def test_progress_goes_to_stderr_with_the_time_left(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)

    list(track(["a", "b"], "reading"))
    list(track(iter(["a"]), "streaming"))
    list(track(iter(["a"]), "sized", total=1))
    list(track(["a"], "silent", quiet=True))

    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "reading: 1 of 2, 0 s left",
        "reading: 2 of 2, 0 s left",
        "streaming: 1",
        "sized: 1 of 1, 0 s left",
    ]


def test_a_terminal_gets_a_bar(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)

    assert list(track([1, 2, 3], "reading")) == [1, 2, 3]
    assert capsys.readouterr().out == ""


def test_tracking_a_loop_that_is_left_early_ends_quietly() -> None:
    def forever() -> Iterator[int]:
        while True:
            yield 1

    for item in track(forever(), "waiting"):
        assert item == 1
        break


def test_provenance_is_json_and_names_versions_machine_and_time() -> None:
    found = json.loads(json.dumps(provenance()))

    assert {"adiabat", "created", "python", "packages", "machine", "cores", "threads"} <= set(found)
    assert {"torch", "numpy", "ase"} <= set(found["packages"])
    assert found["created"].endswith("+00:00")

"""A page that is served while it changes: to this machine alone, to be read and nothing else."""

import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from adiabat.errors import LabelStoreError, OutputError
from adiabat.report import PageServer
from adiabat.results import Figure, Line, Page, Table


def page(sentence: str) -> Page:
    line = Line(np.array([1.0, 2.0]), np.array([3.0, np.nan]), "line")
    return Page(
        "A run",
        (sentence,),
        (Table("t", "Numbers", ("n",), ((1.0,),)),),
        (Figure("f", "F", "x", "y", (line,)),),
        details={"folder": "here"},
    )


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PageServer]:
    counted = iter(range(100))
    files = {"report.html": tmp_path / "report.html"}
    with PageServer(lambda: page(f"look {next(counted)}"), port=0, files=files) as started:
        yield started


def ask(
    server: PageServer, path: str, *, method: str = "GET", host: str | None = None
) -> tuple[http.client.HTTPResponse, str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    connection.putrequest(method, path, skip_host=host is not None)
    if host is not None:
        connection.putheader("Host", host)
    connection.endheaders()
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response, text


def test_the_page_and_its_state_can_be_read(server: PageServer) -> None:
    response, text = ask(server, "/")
    assert (response.status, response.getheader("Content-Type")) == (200, "text/html; charset=utf-8")
    assert "connect-src 'self';" in text
    response, text = ask(server, "/state.json")
    state = json.loads(text)
    assert "look" in state["parts"]["summary"]
    assert "Numbers" in state["parts"]["tables"]
    assert state["plots"][0]["data"][0]["y"] == [3.0, None]
    assert response.getheader("Cache-Control") == "no-store"


def test_many_who_ask_at_once_make_it_look_once(server: PageServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adiabat.report.serve.SECONDS_BETWEEN_LOOKS", 60.0)
    assert len({ask(server, "/state.json")[1] for _ in range(5)}) == 1
    monkeypatch.setattr("adiabat.report.serve.SECONDS_BETWEEN_LOOKS", 0.0)
    assert len({ask(server, "/state.json")[1] for _ in range(5)}) == 5


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1", "localhost:1", ""])
def test_a_request_that_is_meant_for_another_machine_is_refused(server: PageServer, host: str) -> None:
    response, text = ask(server, "/state.json", host=host)
    assert response.status == 403
    assert "look" not in text


def test_this_machine_by_its_other_name_is_answered(server: PageServer) -> None:
    assert ask(server, "/", host=f"localhost:{server.port}")[0].status == 200


@pytest.mark.parametrize("path", ["/labels.db", "/../learn.json", "/%2e%2e/learn.json", "//etc/passwd", "/report.html"])
def test_nothing_else_can_be_read(server: PageServer, path: str) -> None:
    assert ask(server, path)[0].status == 404


def test_a_named_file_can_be_read_once_it_is_there(server: PageServer, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("<p>so far</p>")
    assert ask(server, "/report.html")[1] == "<p>so far</p>"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_can_be_written(server: PageServer, method: str) -> None:
    assert ask(server, "/", method=method)[0].status == 501


def test_a_head_comes_without_its_text(server: PageServer) -> None:
    response, text = ask(server, "/", method="HEAD")
    assert (response.status, text) == (200, "")


def test_no_other_address_of_the_machine_is_listened_on(server: PageServer) -> None:
    """127.0.0.2 leads to whatever listens on all addresses, as those by which other machines come do."""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", server.port), timeout=2)


def test_a_port_that_is_taken_is_named(server: PageServer) -> None:
    with pytest.raises(OutputError) as error:
        PageServer(lambda: None, port=server.port)
    assert f"port {server.port}" in str(error.value)
    assert "--port" in str(error.value)


def test_what_cannot_be_read_just_now_is_said(tmp_path: Path) -> None:
    def broken() -> Page:
        raise LabelStoreError("cannot be read: it is locked", place="labels.db")

    with PageServer(broken, port=0) as started:
        response, text = ask(started, "/state.json")
    assert (response.status, text) == (503, "labels.db: cannot be read: it is locked")
    with PageServer(lambda: None, port=0) as started:
        assert ask(started, "/")[0].status == 503


def test_the_port_is_free_again_afterwards(server: PageServer) -> None:
    with PageServer(lambda: page("first"), port=0) as one:
        port = one.port
        ask(one, "/")
    with PageServer(lambda: page("second"), port=port) as other:
        assert "second" in ask(other, "/")[1]

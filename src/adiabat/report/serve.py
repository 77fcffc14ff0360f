"""PageServer: a page to look at in a browser on this machine while it changes; it can be read, and nothing else."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

from adiabat.errors import AdiabatError, OutputError
from adiabat.report.live import live_state, render_live
from adiabat.results import Page

HERE = "127.0.0.1"
SECONDS_BETWEEN_LOOKS = 0.5
"""However many ask."""
SECONDS_TO_ASK = 10.0
"""A client that takes longer for its request is let go."""
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


class PageServer:
    """Within its block, serves a page on this machine alone.

    A request is answered only if it is meant for this machine by name (its Host header): a page from elsewhere whose name was
    made to lead here reads nothing.

    Args:
        page: What to show now; None where there is nothing yet.
        port: 0 for one that is free.
        files: HTML files that can be read too, by name.

    Raises:
        OutputError: The port is taken.
    """

    def __init__(self, page: Callable[[], Page | None], *, port: int, files: Mapping[str, Path] | None = None) -> None:
        self._source, self._files = page, dict(files or {})
        self._lock, self._looked_at, self._page = threading.Lock(), -SECONDS_BETWEEN_LOOKS, None
        try:
            self._server = ThreadingHTTPServer((HERE, port), self._handler())
        except OSError as error:
            raise OutputError(
                f"cannot be listened on: {error.strerror or error}",
                place=f"port {port}",
                rule="a page is served on a port of its own",
                mend="name another --port, or 0 for one that is free",
            ) from error
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)

    @property
    def url(self) -> str:
        """Where to look."""
        return f"http://{HERE}:{self.port}/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, host: str | None, path: str) -> tuple[HTTPStatus, str, str]:
        """Status, type and text of the answer to a request.

        Args:
            host: Whom it is meant for, by its header.
            path: What it asks for.
        """
        if host not in {f"{HERE}:{self.port}", f"localhost:{self.port}"}:
            return HTTPStatus.FORBIDDEN, "text/plain", "this is served to this machine alone"
        name = path.partition("?")[0].removeprefix("/")
        if name in self._files and self._files[name].is_file():
            return HTTPStatus.OK, "text/html", self._files[name].read_text(encoding="utf-8")
        if name not in {"", "state.json"}:
            return HTTPStatus.NOT_FOUND, "text/plain", "there is no such page, or not yet"
        try:
            page = self._look()
        except AdiabatError as error:
            return HTTPStatus.SERVICE_UNAVAILABLE, "text/plain", str(error)
        if page is None:
            return HTTPStatus.SERVICE_UNAVAILABLE, "text/plain", "there is nothing to show yet"
        if name:
            return HTTPStatus.OK, "application/json", json.dumps(live_state(page), allow_nan=False)
        return HTTPStatus.OK, "text/html", render_live(page)

    def _look(self) -> Page | None:
        with self._lock:
            if time.monotonic() - self._looked_at >= SECONDS_BETWEEN_LOOKS:
                self._page, self._looked_at = self._source(), time.monotonic()
            return self._page

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        answer = self.answer

        class Handler(BaseHTTPRequestHandler):
            """GET and HEAD; everything else is refused by the base."""

            timeout = SECONDS_TO_ASK
            server_version, sys_version = "adiabat", ""

            def do_GET(self) -> None:
                """The answer."""
                self._send(with_text=True)

            def do_HEAD(self) -> None:
                """Its head."""
                self._send(with_text=False)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing: the terminal shows the run."""

            def _send(self, *, with_text: bool) -> None:
                status, kind, text = answer(self.headers.get("Host"), self.path)
                content = text.encode()
                self.send_response(status)
                for name, value in HEADERS.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", f"{kind}; charset=utf-8")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if with_text:
                    self.wfile.write(content)

        return Handler

"""Servers that the service has to be safe from, or is met through, in the tests of its headers."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

SCRIPT = "document.documentElement.dataset.elsewhere = 1;"


@dataclass
class Site:
    """Another site; it keeps what it was asked for. `pages` are what it has, by path; all else is a script."""

    port: int
    pages: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, Message]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """By this name it is another site than the service, which the tests call by its address."""
        return f"http://localhost:{self.port}"

    @property
    def neighbour_url(self) -> str:
        """By this one it is another origin of the same site, as browsers see it."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def elsewhere() -> Iterator[Site]:
    """A site of somebody else's."""

    class Handler(_Handler):
        def do_GET(self) -> None:
            site.asked.append((self.path, self.headers))
            page = site.pages.get(self.path.partition("?")[0])
            kind, text = ("text/javascript", SCRIPT) if page is None else ("text/html", page)
            self.answer(200, {"Content-Type": kind}, text.encode())

    with _listening(Handler) as port:
        site = Site(port)
        yield site


@contextmanager
def altering(service: str, *, without: str = "", injected: str = "", is_old: bool = False) -> Iterator[str]:
    """The service as somebody in between would alter it: without a header, with more in its documents.

    `is_old` is for browsers of old, which do not say whose page made them ask.
    """

    class Handler(_Handler):
        def do_GET(self) -> None:
            unsaid = ("host", "connection", *(("sec-fetch-site",) if is_old else ()))
            sent = {name: value for name, value in self.headers.items() if name.lower() not in unsaid}
            answer = httpx.get(service + self.path, headers=sent | {"Accept-Encoding": "identity"}, timeout=60)
            gone = (without.lower(), "content-length", "date")
            headers = {name: value for name, value in answer.headers.items() if name not in gone}
            body = answer.content
            for end in (b"</body>", b"</svg>"):
                head, found, tail = body.rpartition(end)
                if found and self.headers.get("Sec-Fetch-Mode") == "navigate":
                    body = head + injected.encode() + end + tail
            self.answer(answer.status_code, headers, body)

    with _listening(Handler) as port:
        yield f"http://127.0.0.1:{port}"


@contextmanager
def under(service: str, path: str) -> Iterator[str]:
    """The service as a reverse proxy serves it under a path of a host, on which nothing else is."""

    class Handler(_Handler):
        def do_GET(self) -> None:
            self.forward(None)

        def do_POST(self) -> None:
            self.forward(self.rfile.read(int(self.headers.get("Content-Length", 0))))

        def forward(self, body: bytes | None) -> None:
            prefix, is_under, rest = self.path.partition(path)
            if prefix or not is_under:
                self.answer(404, {"Content-Type": "text/plain"}, b"nothing here")
                return
            hop = ("connection", "accept-encoding", "content-length")
            sent = {name: value for name, value in self.headers.items() if name.lower() not in hop}
            sent["Accept-Encoding"] = "identity"
            answer = httpx.request(self.command, f"{service}/{rest}", headers=sent, content=body, timeout=60)
            kept = {name: value for name, value in answer.headers.items() if name not in ("content-length", "date")}
            self.answer(answer.status_code, kept, answer.content)

    with _listening(Handler) as port:
        yield f"http://127.0.0.1:{port}{path}"


class _Handler(BaseHTTPRequestHandler):
    def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


@contextmanager
def _listening(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()

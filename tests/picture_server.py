"""A real HTTP server of pictures on this machine, which misbehaves where it is told to."""

import hashlib
import ssl
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

LONG_AGO = formatdate(0, usegmt=True)


@dataclass
class PictureServer:
    """What it has, by decoded path, and how it misbehaves: the faults of a path happen one for each request, then none;
    those under "*" happen to any.

    `ranges`, `etags` and `dated` say what it offers; `asked` is what was asked of it.
    """

    url: str = ""
    pictures: dict[str, bytes] = field(default_factory=dict)
    faults: defaultdict[str, deque["Fault"]] = field(default_factory=lambda: defaultdict(deque))
    asked: list["Asked"] = field(default_factory=list)
    ranges: bool = True
    etags: bool = True
    dated: bool = False
    now: int = 0
    most: int = 0
    released: threading.Event = field(default_factory=threading.Event)
    before: Callable[["Handler"], object] = lambda _: None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def paths(self) -> list[str]:
        return [one.path for one in self.asked]


@dataclass(frozen=True)
class Asked:
    path: str
    headers: Mapping[str, str]
    client: int
    """The port that it came from: the same for one connection."""
    at: float


class Handler(BaseHTTPRequestHandler):
    """Answers GET. HTTP/1.1, so that connections are kept."""

    protocol_version = "HTTP/1.1"
    server_version = "Pictures"
    pictures: PictureServer
    wbufsize = -1  # head and body in one piece

    def do_GET(self) -> None:
        at, place = self.pictures, unquote(self.path.partition("?")[0])
        with at.lock:
            at.asked.append(Asked(self.path, dict(self.headers), self.client_address[1], time.monotonic()))
            at.now += 1
            at.most = max(at.most, at.now)
            faults = at.faults[place] or at.faults["*"]
            fault = faults.popleft() if faults else None
        try:
            at.before(self)
            (fault or give)(self, at.pictures.get(place))
            self.wfile.flush()
        except OSError:
            self.close_connection = True
        finally:
            with at.lock:
                at.now -= 1

    def head(self, status: int, headers: Mapping[str, object]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, str(value))
        self.end_headers()

    def validators(self, data: bytes) -> dict[str, object]:
        found: dict[str, object] = {}
        if self.pictures.etags:
            found["ETag"] = etag(data)
        if self.pictures.dated:
            found["Last-Modified"] = LONG_AGO
        return found

    def wanted(self, data: bytes) -> int:
        """The first byte that is asked for and may be given: 0 where another version is wanted."""
        asked, kept = self.headers.get("Range"), self.validators(data)
        if not asked or not self.pictures.ranges:
            return 0
        condition = self.headers.get("If-Range")
        fits = condition is None or condition in (kept.get("ETag"), kept.get("Last-Modified"))
        return int(asked.removeprefix("bytes=").rstrip("-")) if fits else 0

    def log_message(self, *_: Any) -> None:
        pass


Fault = Callable[[Handler, bytes | None], None]


def etag(data: bytes) -> str:
    return f'"{hashlib.md5(data).hexdigest()}"'


def give(handler: Handler, data: bytes | None, upto: int | None = None, more: int = 0) -> None:
    """The picture, `upto` so many bytes of what is asked for, after saying that there are `more` than there are."""
    if data is None:
        status(404)(handler, None)
        return
    if handler.headers.get("If-Match", etag(data)) != etag(data):
        status(412, body=b"<Error><Code>PreconditionFailed</Code></Error>")(handler, None)
        return
    start = handler.wanted(data)
    if start and start >= len(data):
        handler.head(416, {"Content-Range": f"bytes */{len(data)}", "Content-Length": 0})
        return
    headers = {"Content-Length": len(data) - start + more, "Content-Type": "image/png", **handler.validators(data)}
    if start:
        headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data) + more}"
    handler.head(206 if start else 200, headers)
    handler.wfile.write(data[start:][:upto])
    if more or upto is not None:
        handler.close_connection = True


def broken_off(after: int) -> Fault:
    """The connection ends after so many bytes."""
    return lambda handler, data: give(handler, data, after)


def lying(more: int) -> Fault:
    """It says that there are so many more bytes than there are, or fewer."""
    return lambda handler, data: give(handler, data, more=more)


def stalled(after: int) -> Fault:
    """Nothing more comes after so many bytes, until the server's `released` is set."""

    def fault(handler: Handler, data: bytes | None) -> None:
        give(handler, data, after)
        handler.wfile.flush()
        handler.pictures.released.wait(30)

    return fault


def status(code: int, headers: Mapping[str, object] | None = None, body: bytes = b"") -> Fault:
    def fault(handler: Handler, _data: bytes | None) -> None:
        handler.head(code, {"Content-Length": len(body), **(headers or {})})
        handler.wfile.write(body)

    return fault


def to(address: str, code: int = 302) -> Fault:
    """A redirect."""
    return status(code, {"Location": address})


def in_chunks(cut: bool = False) -> Fault:
    """Without telling how many bytes there are; `cut`: and without the last."""

    def fault(handler: Handler, data: bytes | None) -> None:
        assert data is not None
        handler.head(200, {"Transfer-Encoding": "chunked", **handler.validators(data)})
        for start in range(0, len(data), 65_536):
            part = data[start : start + 65_536]
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        if cut:
            handler.close_connection = True
        else:
            handler.wfile.write(b"0\r\n\r\n")

    return fault


@contextmanager
def serving(certificate: Path | None = None) -> Iterator[PictureServer]:
    """A server until the end of the block; of https where a file with a certificate and its key is given."""
    host = "127.0.0.1"
    pictures = PictureServer()
    handler = type("Bound", (Handler,), {"pictures": pictures})
    server = ThreadingHTTPServer((host, 0), handler)
    server.daemon_threads = True
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    pictures.url = f"http{'s' if certificate else ''}://{host}:{server.server_address[1]}"
    try:
        yield pictures
    finally:
        pictures.released.set()
        server.shutdown()
        thread.join()
        server.server_close()

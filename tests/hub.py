"""A model hub on the loopback, as far as huggingface_hub asks it for files."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import huggingface_hub.constants
import pytest

UNREACHABLE = "http://127.0.0.1:9"


def connect(monkeypatch: pytest.MonkeyPatch, hub: str, cache: Path | None = None) -> None:
    """From now on this process asks that hub, and keeps what it gets in that cache."""
    template = hub + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", hub)
    monkeypatch.setattr(huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    if cache is not None:
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))


@contextmanager
def serving_files() -> Iterator[tuple[str, dict[str, bytes]]]:
    """Its address, and its files by "repository/name": whatever is put there can be downloaded."""
    files: dict[str, bytes] = {}

    class Hub(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0].strip("/")
            if asked := re.fullmatch(r"api/models/(.+)/(tree|revision)/[^/]+", path):
                repository, about = asked.groups()
                names = [name.removeprefix(f"{repository}/") for name in files if name.startswith(f"{repository}/")]
                return self.answer(json.dumps(self.told(repository, names, about)).encode() if names else None)
            return self.answer(files.get(path.replace("/resolve/main", "").replace("/resolve/0123abc", ""), b""))

        do_HEAD = do_GET  # noqa: N815

        def told(self, repository: str, names: list[str], about: str) -> object:
            if about == "tree":
                return [{"type": "file", "path": name, "size": 1, "oid": "1"} for name in names]
            return {"id": repository, "sha": "0123abc", "siblings": [{"rfilename": name} for name in names]}

        def answer(self, content: bytes | None) -> None:
            self.send_response(200 if content is not None else 404)
            self.send_header("ETag", f'"{len(content or b"")}"')
            self.send_header("X-Repo-Commit", "0123abc")
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content or b"")

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", files
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

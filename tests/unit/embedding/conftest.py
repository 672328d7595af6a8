import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import huggingface_hub.constants
import pytest
import torch

DEMO = Path(__file__).parents[3] / "console_core" / "demo" / "models"

CONFIG: dict[str, dict[str, Any]] = {
    "model_cfg": {
        "embed_dim": 24,
        "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16},
        "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
    },
    "preprocess_cfg": {"mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25], "resize_mode": "shortest"},
}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def connect(monkeypatch: pytest.MonkeyPatch, hub: str) -> None:
    template = hub + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", hub)
    monkeypatch.setattr(huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)


@pytest.fixture(autouse=True)
def lonely(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No model hub can be reached, and nothing was ever downloaded. The answer is the empty cache."""
    cache = tmp_path / "hub cache"
    connect(monkeypatch, "http://127.0.0.1:9")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))
    return cache


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A folder with a genuine open_clip model of random weights, 24 dimensions and 32 pixels."""
    import open_clip
    from safetensors.torch import save_file

    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "open_clip_config.json").write_text(json.dumps(CONFIG))
    with torch.random.fork_rng():
        torch.manual_seed(5)
        model = open_clip.create_model(f"local-dir:{folder}")
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    return folder


@pytest.fixture
def downloaded(lonely: Path) -> Callable[[str, dict[str, bytes]], Path]:
    """Put files into the hub's cache as an earlier download would have."""

    def put(repository: str, files: dict[str, bytes]) -> Path:
        place = lonely / f"models--{repository.replace('/', '--')}"
        (place / "refs").mkdir(parents=True)
        (place / "refs" / "main").write_text("0123abc")
        snapshot = place / "snapshots" / "0123abc"
        snapshot.mkdir(parents=True)
        for name, content in files.items():
            (snapshot / name).write_bytes(content)
        return snapshot

    return put


@pytest.fixture
def serving(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, bytes]]:
    """A model hub on the loopback. Whatever is put into the answer, by "repository/file", can be downloaded."""
    files: dict[str, bytes] = {}

    class Hub(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0].strip("/")
            if path.startswith("api/models/"):
                repository = path.removeprefix("api/models/").removesuffix("/tree/main")
                names = [name.removeprefix(f"{repository}/") for name in files if name.startswith(f"{repository}/")]
                listing = [{"type": "file", "path": name, "size": 1, "oid": "1"} for name in names]
                return self.answer(json.dumps(listing).encode() if names else None)
            return self.answer(files.get(path.replace("/resolve/main", "").replace("/resolve/0123abc", ""), b""))

        do_HEAD = do_GET  # noqa: N815

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
    connect(monkeypatch, f"http://127.0.0.1:{server.server_port}")
    yield files
    server.shutdown()
    thread.join()
    server.server_close()

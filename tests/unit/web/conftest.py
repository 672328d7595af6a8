"""A small workspace, and the console's routes on it as a client meets them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from console_core.web import process, signing
from console_core.web.guard import MIDDLEWARE
from console_core.web.lifespan import lifespan
from console_core.web.routes import ROUTES


@pytest.fixture(name="workspace")
def _workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Three good pictures and a truncated one in a folder; the process uses this workspace until the test ends."""
    folder = tmp_path / "workspace" / "images" / "a b"
    folder.mkdir(parents=True)
    for number in range(3):
        Image.new("RGB", (640, 400), (60 * number, 90, 160)).save(folder / f"{number}.jpg")
    whole = (folder / "0.jpg").read_bytes()
    (folder / "broken.jpg").write_bytes(whole[: len(whole) // 3])
    workspace = tmp_path / "workspace"
    (workspace / "console.toml").write_text('[catalog]\nlocation = "images"\n[store]\nurl = "local:qdrant"\n')
    monkeypatch.setenv("CONSOLE_WORKSPACE", str(workspace))
    signing.secret_of.cache_clear()
    process.stop()
    yield workspace
    process.stop()


@pytest.fixture(name="client")
def _client(workspace: Path) -> Iterator[TestClient]:
    """The routes with lifespan and middleware, opened and ready."""
    app = Starlette(routes=ROUTES, middleware=MIDDLEWARE, lifespan=lifespan(lambda: None))
    with TestClient(app, base_url="http://127.0.0.1:8501") as client:
        process.console()
        yield client

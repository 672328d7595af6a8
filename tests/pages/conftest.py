"""The console's screen on a small workspace of its own, without a browser."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from console_core.console import Console
from console_core.vectorstore.types import CollectionSpec, ModelStamp, Point
from console_core.web import process
from tests.conftest import fill, make_workspace

ROOT = Path(__file__).parents[2]
SHELL = ROOT / "console_core" / "ui" / "shell.py"
OLD = "images__old"


@contextmanager
def console_of_module(folder: Path, *, actor: str = "tester", works: bool = True) -> Iterator[Console]:
    """The process's Console on 48 pictures and an empty store, for all tests of a module; unless it `works`, runs wait
    for the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONSOLE_WORKSPACE", str(make_workspace(folder / "workspace")))
        patch.setenv("CONSOLE_ACTOR", actor)
        process.stop()
        process.start()
        console = process.console()
        if not works:
            assert console.worker is not None
            console.worker.close()
        yield console
        process.stop()


@pytest.fixture(name="workspace")
def _workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six pictures in two folders and an empty store."""
    for number in range(6):
        folder = tmp_path / "workspace" / "images" / ("anna" if number % 2 else "ben")
        folder.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (64, 48), (40 * number, 90, 160)).save(folder / f"{number}.jpg")
    workspace = tmp_path / "workspace"
    (workspace / "console.toml").write_text('[catalog]\nlocation = "images"\n[store]\nurl = "local:qdrant"\n')
    monkeypatch.setenv("CONSOLE_WORKSPACE", str(workspace))
    monkeypatch.setenv("CONSOLE_ACTOR", "tester")
    return workspace


@pytest.fixture(name="small")
def _small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
    """The process's Console with a worker; the alias `images` serves a collection that demo-clip made."""
    monkeypatch.setenv("CONSOLE_WORKSPACE", str(make_workspace(tmp_path / "small")))
    monkeypatch.setenv("CONSOLE_ACTOR", "olga")
    process.stop()
    process.start()
    fill(process.console(), "images__demo-clip", "demo-clip", alias="images")
    yield process.console()
    process.stop()


@pytest.fixture(name="console")
def _console(workspace: Path) -> Iterator[Console]:
    """The process's Console on that workspace."""
    process.stop()
    process.start()
    yield process.console()
    process.stop()


@pytest.fixture(name="filled")
def _filled(console: Console) -> Console:
    """The alias `images` serves a stamped collection with a point for each picture."""
    rows = list(console.catalog.rows())
    vectors = np.random.default_rng(7).normal(size=(len(rows), 8)).astype(np.float32)
    console.store.create(OLD, CollectionSpec(dimension=8, stamp=ModelStamp("old-model", "0123456789abcdef")))
    console.store.upsert(OLD, [Point(number, vectors[number], dict(row.payload)) for number, row in enumerate(rows)])
    console.store.set_alias("images", OLD, expected=None)
    return console


OpenPage = Callable[..., AppTest]


@pytest.fixture(name="open_page")
def _open_page() -> OpenPage:
    """Open a page of the console by name, through its shell, with query parameters."""

    def open_page(name: str = "overview", **parameters: str) -> AppTest:
        test = AppTest.from_file(str(SHELL), default_timeout=20)
        for key, value in parameters.items():
            test.query_params[key] = value
        test.run()
        return test if name == "overview" else test.switch_page(str(ROOT / "pages" / f"{name}.py")).run()

    return open_page


@pytest.fixture(name="said")
def _said() -> Callable[[AppTest], str]:
    """All the text that a page says, as one."""

    def said(page: AppTest) -> str:
        elements = (*page.title, *page.subheader, *page.markdown, *page.caption, *page.error)
        return "\n".join(str(element.value) for element in elements)

    return said

"""Servers on workspaces of their own, and browsers that notice every request that leaves the machine."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from console_core.demo.workspace import prepare
from tests.e2e import speed
from tests.e2e.browsing import FLAGS, PATIENCE, SIZE, Browse, Tab, chromium
from tests.e2e.serving import Serve, Server, serving

PICTURES = 240
RATE = 15.0
"""Pictures a second of a run that is watched."""


@pytest.fixture(name="serve", scope="session")
def _serve() -> Serve:
    """`serving`, for tests that start and stop servers themselves."""
    return serving


@pytest.fixture(name="browser", scope="module")
def _browser() -> Iterator[Browser]:
    """Chromium. Skips where there is none; in CI that is a failure."""
    if chromium() is None:
        reason = "Chromium is not installed: apt-get install chromium, or set CHROMIUM to its path"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), headless=True, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(name="browse")
def _browse(browser: Browser, tmp_path: Path) -> Browse:
    """A tab of a new person: a browser that knows nothing of the others. It must talk to its server only."""

    @contextmanager
    def browse(server: Server, *, scheme: str = "light") -> Iterator[Tab]:
        context = browser.new_context(viewport=SIZE, color_scheme=scheme)  # type: ignore[arg-type]
        try:
            opened = Tab(context, server)
            try:
                yield opened
            except BaseException:
                opened.page.screenshot(path=tmp_path / "when-it-failed.png")
                print(f"{opened.page.url} looked as in {tmp_path / 'when-it-failed.png'}")  # noqa: T201
                raise
            assert opened.hosts <= {urlsplit(server.url).netloc}, f"requests left the machine: {opened.hosts}"
        finally:
            context.close()

    return browse


@pytest.fixture(name="prepared", scope="session")
def _prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo workspace as `embedding-console demo` makes it, with fewer pictures. Not to be written to."""
    folder = tmp_path_factory.mktemp("demo") / "workspace"
    prepare(folder, pictures=PICTURES)
    return folder


@pytest.fixture(name="demo")
def _demo(prepared: Path, tmp_path: Path) -> Path:
    """A demo workspace of this test's own."""
    return Path(shutil.copytree(prepared, tmp_path / "workspace"))


@pytest.fixture(name="slow")
def _slow(demo: Path) -> Path:
    """The same, in which runs take their time until `speed.at_full_speed`."""
    speed.at_most(demo, RATE)
    return demo

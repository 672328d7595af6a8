"""A real server on a workspace of its own, and a real browser that notices every request that leaves the machine."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from playwright.sync_api import BrowserContext, Page, Request, sync_playwright

ROOT = Path(__file__).parents[2]
SIZE = {"width": 1440, "height": 900}
READY = '[data-testid="stApp"][data-test-script-state="notRunning"]'
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


@dataclass
class Server:
    """A running console. `log` is what it printed."""

    url: str
    workspace: Path
    process: subprocess.Popen[bytes]
    log: Path

    def kill(self) -> None:
        """As a power cut would."""
        self.process.kill()
        self.process.wait(30)

    def stop(self) -> None:
        """As Ctrl-C or a service manager would; it must not take longer than 30 s."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise


@contextmanager
def serving(workspace: Path, *, port: int = 0, ready_within: float = 60, expect_ready: bool = True) -> Iterator[Server]:
    """A console on a workspace, ready to answer; stopped at the end.

    Without `expect_ready` it is enough that the process answers, whatever prevents the workspace from opening.
    """
    port = port or _free_port()
    log = workspace.parent / f"server-{port}.log"
    environment = {**os.environ, "CONSOLE_WORKSPACE": str(workspace)}
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    with log.open("ab") as stream:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=stream, stderr=subprocess.STDOUT)
    server = Server(f"http://127.0.0.1:{port}", workspace, process, log)
    try:
        _wait_until_ready(server, "readyz" if expect_ready else "healthz", ready_within)
        yield server
    finally:
        server.stop()


@pytest.fixture(name="serve", scope="session")
def _serve() -> "Serve":
    """`serving`, for tests that start and stop servers themselves."""
    return serving


@dataclass
class Tab:
    """A browser tab that knows when the page has been drawn, and which hosts it talked to."""

    page: Page
    server: Server
    hosts: set[str] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str = "/") -> None:
        self.page.goto(self.server.url + path)
        self.wait()

    def wait(self) -> None:
        """Until the script has run and the page shows it."""
        self.page.wait_for_selector(READY, timeout=60_000)
        self.page.wait_for_timeout(300)
        self.page.wait_for_selector(READY, timeout=60_000)

    def shows_no_trace(self) -> None:
        """No Python error and no incident is on the page."""
        text = self.page.locator("body").inner_text()
        assert "Traceback" not in text
        assert "incident" not in text
        assert self.page.locator('[data-testid="stException"]').count() == 0


@contextmanager
def tab(server: Server, folder: Path, *, scheme: str = "light") -> Iterator[Tab]:
    """A fresh browser with one tab. At the end it must have talked to the server only."""
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            str(folder),
            executable_path=chromium(),
            headless=True,
            viewport=SIZE,  # type: ignore[arg-type]
            color_scheme=scheme,  # type: ignore[arg-type]
            args=FLAGS,
        )
        try:
            opened = _watched(context, server)
            yield opened
            assert opened.hosts <= {urlsplit(server.url).netloc}, f"requests left the machine: {opened.hosts}"
        finally:
            context.close()


def _watched(context: BrowserContext, server: Server) -> Tab:
    opened = Tab(context.pages[0], server)

    def note(request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob"):
            opened.hosts.add(address.netloc)

    context.on("request", note)
    opened.page.on("websocket", lambda websocket: opened.hosts.add(urlsplit(websocket.url).netloc))
    opened.page.on("pageerror", lambda error: opened.complaints.append(str(error)))
    return opened


@pytest.fixture(name="browse")
def _browse(tmp_path_factory: pytest.TempPathFactory) -> "Browse":
    """`tab` with a browser profile of its own. Skips where there is no Chromium; in CI that is a failure."""
    if chromium() is None:
        reason = "Chromium is not installed: apt-get install chromium, or set CHROMIUM to its path"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)

    def browse(server: Server, *, scheme: str = "light") -> AbstractContextManager[Tab]:
        return tab(server, tmp_path_factory.mktemp("profile"), scheme=scheme)

    return browse


Serve = Callable[..., AbstractContextManager[Server]]
Browse = Callable[..., AbstractContextManager[Tab]]
"""For tests: `if TYPE_CHECKING: from tests.e2e.conftest import Browse, Serve`."""


def chromium() -> str | None:
    """The path of the browser: CHROMIUM, or the one that is installed."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_until_ready(server: Server, probe: str, seconds: float) -> None:
    deadline, answer = time.monotonic() + seconds, "nothing"
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            with urlopen(f"{server.url}/{probe}", timeout=5) as response:
                if response.status == 200:
                    return
        except HTTPError as error:
            answer = error.read().decode()
            error.close()
        except (URLError, OSError) as error:
            answer = str(error)
        time.sleep(0.1)
    pytest.fail(f"The server was not ready: {answer}\n{server.log.read_text()[-4000:]}")

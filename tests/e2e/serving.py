"""A real server on a workspace of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).parents[2]


@dataclass
class Server:
    """A running console. `log` is what it printed."""

    url: str
    workspace: Path
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

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


Serve = Callable[..., AbstractContextManager[Server]]


@contextmanager
def serving(workspace: Path, *, port: int = 0, ready_within: float = 90, expect_ready: bool = True) -> Iterator[Server]:
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

"""The real server in a process of its own, and the processor time it has used."""

import os
import platform
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psutil

ROOT = Path(__file__).parents[2]


@dataclass
class Server:
    """A server on a workspace. `ready` and `ready_cpu` are the seconds it took to answer /readyz with 200."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path
    started: float
    ready: float = 0.0
    ready_cpu: float = 0.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cpu(self) -> float:
        """Seconds of processor time since the start, in all threads, also those that have ended, and in the process of
        an embedded store."""
        return sum(map(_used, (self.process.pid, *(child.pid for child in self.children()))))

    def children(self) -> list[psutil.Process]:
        """The processes that the server has started."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def memory(self) -> int:
        """Resident bytes."""
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def stop(self) -> float:
        """Ask it to stop as a service manager would; the seconds that took."""
        began = time.perf_counter()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise
        return time.perf_counter() - began


@contextmanager
def serving(workspace: Path) -> Iterator[Server]:
    """`embedding-console serve` on a workspace, ready to answer; stopped at the end."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = int(listener.getsockname()[1])
    log = workspace / "benchmark-server.log"
    with log.open("ab") as stream:
        process = subprocess.Popen(
            command(workspace, "serve", "--port", str(port)),
            cwd=ROOT,
            env=environment(),
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    server = Server(port, process, log, time.perf_counter())
    try:
        _wait(server)
        yield server
    finally:
        server.stop()


def command(workspace: Path, *arguments: str) -> list[str]:
    """A command line of the console, run by this Python."""
    run = "import sys; from console_core.cli import main; sys.argv[0] = 'embedding-console'; main()"
    return [sys.executable, "-c", run, "--workspace", str(workspace), *arguments]


def environment() -> dict[str, str]:
    """This process's environment without what keeps Python from keeping compiled files, and without other consoles."""
    left_out = {"PYTHONDONTWRITEBYTECODE", "CONSOLE_WORKSPACE"}
    return {name: value for name, value in os.environ.items() if name not in left_out}


def _used(process: int) -> float:
    if platform.system() == "Linux":  # /proc counts in steps of 10 ms; the process's own clock in nanoseconds
        return time.clock_gettime((~process << 3) | 2)
    used = psutil.Process(process).cpu_times()
    return float(used.user + used.system)


def _wait(server: Server) -> None:
    while time.perf_counter() - server.started < 120 and server.process.poll() is None:
        try:
            with urlopen(f"{server.url}/readyz", timeout=5) as response:
                if response.status == 200:
                    server.ready, server.ready_cpu = time.perf_counter() - server.started, server.cpu()
                    return
        except (URLError, OSError):
            time.sleep(0.02)
    raise RuntimeError(f"The server was not ready:\n{server.log.read_text()[-4000:]}")

"""Engine processes without the seconds of importing torch: each is forked from the process that imported everything."""

import os
import sys
from collections.abc import Callable
from multiprocessing.connection import Client, Connection, Listener

from console_core.engine import child
from tests.lifecycle.forking import Forked, Forks


class Engine:
    """As much of a `subprocess.Popen` as the console uses of its engine's process."""

    def __init__(self, process: Forked) -> None:
        self._process, self.pid = process, process.pid

    def wait(self, _seconds: float = 0.0) -> int:
        """The exit code, once it has ended."""
        return self._process.wait()

    def kill(self) -> None:
        self._process.kill()


def forked_engines(forks: Forks) -> Callable[[str], tuple[Engine, Connection]]:
    """What starts the engine's process and connects to it; stands for `own_process.connected`."""

    def connected(module: str) -> tuple[Engine, Connection]:
        assert module == child.__name__
        with Listener(family="AF_UNIX") as listener:
            process = forks.start("tests.lifecycle.forked_engine:run", str(listener.address))
            return Engine(process), listener.accept()

    return connected


def run(address: str) -> None:
    """The engine's process, as it is when it was started anew."""
    with Client(address, family="AF_UNIX") as connection:
        sys.argv = [child.__name__, str(os.dup(connection.fileno()))]
    child.main()

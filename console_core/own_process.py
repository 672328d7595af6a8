"""A module of ours run in a process of its own, which finds the same modules as this one."""

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path


def connected(module: str, *arguments: str) -> "tuple[subprocess.Popen[bytes], Connection]":
    """The process, whose first argument is the number of its end of a connection, and our end. Raises as `started`."""
    ours, theirs = socket.socketpair()
    connection: Connection = Connection(ours.detach())
    try:
        with theirs:
            number = theirs.fileno()
            return started(module, str(number), *arguments, pass_fds=[number]), connection
    except OSError:
        connection.close()
        raise


_PACKAGE = Path(__file__).parent
"""Streamlit puts the folder of its script on the path, which is one in here: its `collections` are not Python's."""


def started(module: str, *arguments: str, pass_fds: Sequence[int] = ()) -> "subprocess.Popen[bytes]":
    """The process. It inherits nothing but the standard error output and what is passed on.

    Raises:
        OSError: it cannot be started.
    """
    path = os.pathsep.join(folder for folder in map(_absolute, sys.path) if not Path(folder).is_relative_to(_PACKAGE))
    return subprocess.Popen(
        [sys.executable, "-P", "-m", module, *arguments],
        pass_fds=pass_fds,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": path},
    )


def _absolute(folder: str) -> str:
    return str(Path(folder).absolute()) if folder else str(Path.cwd())

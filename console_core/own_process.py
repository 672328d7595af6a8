"""A module of ours run in a process of its own, which finds the same modules as this one."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


def started(module: str, *arguments: str, pass_fds: Sequence[int] = ()) -> "subprocess.Popen[bytes]":
    """The process. It inherits nothing but the standard error output and what is passed on.

    Raises:
        OSError: it cannot be started.
    """
    path = os.pathsep.join(one or str(Path.cwd()) for one in sys.path)
    return subprocess.Popen(
        [sys.executable, "-P", "-m", module, *arguments],
        pass_fds=pass_fds,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": path},
    )

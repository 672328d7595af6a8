"""The process that indexes a copy of a shard: it yields to everything else, and ends when the engine does."""

import ctypes
import os
import signal
import sys

import qdrant_edge as edge

_END_WITH_PARENT = 1
"""PR_SET_PDEATHSIG of Linux's prctl: the engine's call, which takes minutes, could not be interrupted from here."""


def build(folder: str) -> None:
    """Index everything in the shard at `folder`."""
    parent = os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_END_WITH_PARENT, signal.SIGKILL)
        if os.getppid() != parent or parent == 1:
            return
    os.nice(10)
    shard = edge.EdgeShard.load(folder)
    shard.optimize()
    shard.flush()
    shard.close()


if __name__ == "__main__":
    build(sys.argv[1])

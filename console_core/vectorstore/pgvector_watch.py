"""An end to waiting for a PostgreSQL server that neither answers nor hangs up: its driver would wait for ever."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psycopg


@dataclass
class Watch:
    """Whether the connection was cut because time was up."""

    over: bool = False


@contextmanager
def cut_after(connection: "psycopg.Connection[object]", seconds: float) -> Iterator[Watch]:
    """Cut the connection where the block takes longer: whoever waits for an answer gets an error of the driver."""
    watch = Watch()
    line = socket.socket(fileno=os.dup(connection.fileno()))

    def cut() -> None:
        watch.over = True
        with suppress(OSError):  # it has ended at the same moment
            line.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield watch
    finally:
        timer.cancel()
        line.close()

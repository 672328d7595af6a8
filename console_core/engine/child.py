"""The engine process: it has the models, and does what the console asks of it until the console is gone."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Any

from console_core.engine.messages import Call, Close, Finished, Open, Reply, Submit
from console_core.engine.service import Served, Service, version_of
from console_core.engine.threads import ThreadPipeline
from console_core.engine.types import forget_frames
from console_core.errors import DeviceLost

CALLS = 8
"""Calls that are answered at a time."""
DEVICE_LOST = 70
"""The exit code of an engine whose device is lost: nothing but another process can use it again."""


def main() -> None:
    """Answer on the connection whose number is given, until its other end is closed. What comes first makes the models.

    It is no child of multiprocessing: that would run the main module of the console again, a page for example.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is for the console, which closes this process
    connection: Connection = Connection(int(sys.argv[1]))
    load: Callable[[], Served] = connection.recv()
    _Engine(connection, load()).run()


class _Engine:
    def __init__(self, connection: Connection, models: Served) -> None:
        self._connection, self._models = connection, models
        self._service = Service(models)
        self._sending = threading.Lock()
        self._calls = ThreadPoolExecutor(CALLS, thread_name_prefix="call")
        self._pipelines: dict[int, ThreadPipeline] = {}

    def run(self) -> None:
        with contextlib.suppress(EOFError, OSError):
            while True:
                self._obey(self._connection.recv())
        sys.stderr.flush()
        os._exit(0)  # models at work do not hold up the end

    def _obey(self, message: Any) -> None:
        match message:
            case Call():
                self._calls.submit(self._answer, message.number, lambda: self._called(message))
            case Open():
                self._calls.submit(self._answer, message.number, lambda: self._opened(message))
            case Submit() if message.pipeline in self._pipelines:
                self._pipelines[message.pipeline].submit(message.jobs)
            case Close() if message.pipeline in self._pipelines:
                self._calls.submit(self._pipelines.pop(message.pipeline).close)

    def _called(self, call: Call) -> Any:
        return getattr(self._service, call.method)(*call.arguments)

    def _opened(self, wanted: Open) -> Any:
        models = [version_of(self._models, one) for one in wanted.models]
        pipeline = ThreadPipeline(wanted.images, models, wanted.mode, pictures=wanted.pictures)
        self._pipelines[wanted.number] = pipeline
        threading.Thread(target=self._tell, args=(wanted.number, pipeline), name="tell", daemon=True).start()
        return pipeline.shape

    def _tell(self, number: int, pipeline: ThreadPipeline) -> None:
        while done := pipeline.take():
            for one in done:
                self._end_if_lost(one.outcome)
            self._send(Finished(number, done, pipeline.readings()))

    def _answer(self, number: int, work: Callable[[], Any]) -> None:
        try:
            self._send(Reply(number, work()))
        except BaseException as error:
            self._end_if_lost(error)
            forget_frames(error)
            self._send(Reply(number, error=error))

    def _end_if_lost(self, outcome: object) -> None:
        if isinstance(outcome, DeviceLost):
            os._exit(DEVICE_LOST)

    def _send(self, message: object) -> None:
        with self._sending, contextlib.suppress(OSError):
            self._connection.send(message)


if __name__ == "__main__":
    main()

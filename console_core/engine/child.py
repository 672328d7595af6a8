"""The engine process: it has the models, and does what the console asks of it until the console is gone."""

import contextlib
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any, NoReturn

from console_core.engine.messages import Call, Close, Finished, Open, Reply, Submit, sendable
from console_core.engine.service import Served, Service, version_of
from console_core.engine.threads import ThreadPipeline
from console_core.engine.types import Done
from console_core.errors import DeviceLost

CALLS = 8
"""Calls that are answered at a time."""
DEVICE_LOST = 70
"""The exit code of an engine whose device is lost: nothing but another process can use it again."""
FAILED = 1
"""The exit code of an engine that cannot understand the console, or tell it what is done."""


def main() -> None:
    """Answer on the connection whose number is given, until its other end is closed. What comes first makes the models.

    It is no child of multiprocessing: that would run the main module of the console again, a page for example.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is for the console, which closes this process
    connection: Connection = Connection(int(sys.argv[1]))
    try:
        load: Callable[[], Served] = connection.recv()
    except (EOFError, OSError):  # the console closed it at once
        return
    _Engine(connection, load()).run()


class _Engine:
    def __init__(self, connection: Connection, models: Served) -> None:
        self._connection, self._models = connection, models
        self._service = Service(models)
        self._sending = threading.Lock()
        self._calls = ThreadPoolExecutor(CALLS, thread_name_prefix="call")
        self._pipelines: dict[int, ThreadPipeline] = {}

    def run(self) -> None:
        code = FAILED
        try:
            while True:
                self._obey(self._connection.recv())
        except (EOFError, OSError):
            code = 0
        except BaseException:
            traceback.print_exc()
        _end(code)

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
        try:
            while done := pipeline.take():
                self._send(Finished(number, [self._told(one) for one in done], pipeline.readings()))
        except BaseException:  # the console would wait for ever for what is not told
            traceback.print_exc()
            _end(FAILED)

    def _told(self, done: Done) -> Done:
        if not isinstance(done.outcome, BaseException):
            return done
        self._end_if_lost(done.outcome)
        return replace(done, outcome=sendable(done.outcome))

    def _answer(self, number: int, work: Callable[[], Any]) -> None:
        try:
            self._send(Reply(number, work()))
        except BaseException as error:
            self._end_if_lost(error)
            self._send(Reply(number, error=sendable(error)))

    def _end_if_lost(self, outcome: object) -> None:
        if isinstance(outcome, DeviceLost):
            _end(DEVICE_LOST)

    def _send(self, message: object) -> None:
        """Send, unless the console is gone. What cannot be pickled raises before anything of it is sent."""
        with self._sending, contextlib.suppress(OSError):
            self._connection.send(message)


def _end(code: int) -> NoReturn:
    """End the process at once: models at work do not hold it up."""
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()

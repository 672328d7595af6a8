"""Real processes without the seconds of importing torch: one process imports everything once and forks the others.

A forked process shares nothing that was opened: the parent opens nothing. It behaves like a program of its own: its
arguments, environment, output, resource limits and exit code; an exception that leaves it prints a traceback.
"""

import contextlib
import importlib
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass
class Forked:
    """A process that was started; its output goes into two files."""

    forks: "Forks"
    pid: int
    stdout: Path
    stderr: Path
    code: int | None = None

    def kill(self, number: int = signal.SIGKILL) -> int:
        """Send a signal and wait for the end; returns the exit code."""
        os.kill(self.pid, number)
        return self.wait()

    def wait(self) -> int:
        if self.code is None:
            self.code = int(self.forks.ask({"wait": self.pid}))
        return self.code


class Forks:
    """The process that imported everything, and what it started."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._number, self._asking = folder, 0, threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.lifecycle.forking"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(
        self, program: str, *arguments: str, environment: Mapping[str, str] | None = None, file_size: int = 0
    ) -> Forked:
        """Start `program` ("module:function") with text arguments; `file_size`: no file may grow beyond, in bytes."""
        self._number += 1
        stdout, stderr = (self._folder / f"{self._number}.{name}" for name in ("out", "err"))
        request: dict[str, Any] = {"program": program, "arguments": arguments, "file_size": file_size}
        request |= {"environment": dict(environment or {}), "stdout": str(stdout), "stderr": str(stderr)}
        return Forked(self, int(self.ask(request)), stdout, stderr)

    def ask(self, request: Mapping[str, Any]) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._asking:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        assert answer, "the process that forks has died"
        return answer

    def close(self) -> None:
        """End all that was started and still runs."""
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()
        self._process.wait(30)


def main() -> None:
    import open_clip  # noqa: F401
    import torch
    import transformers  # noqa: F401

    import tests.lifecycle.programs  # noqa: F401

    torch.set_num_threads(1)
    running: set[int] = set()
    for line in sys.stdin:
        request = json.loads(line)
        if "wait" in request:
            answer = os.waitstatus_to_exitcode(os.waitpid(request["wait"], 0)[1])
            running.discard(request["wait"])
        else:
            answer = os.fork()
            if answer == 0:
                _become(request)
            running.add(answer)
        print(answer, flush=True)  # noqa: T201
    for pid in running:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    os._exit(0)


def _become(request: Mapping[str, Any]) -> NoReturn:
    code = 1
    try:
        for number, (path, flags) in enumerate(
            (
                (os.devnull, os.O_RDONLY),
                (request["stdout"], os.O_WRONLY | os.O_CREAT),
                (request["stderr"], os.O_WRONLY | os.O_CREAT),
            )
        ):
            opened = os.open(path, flags, 0o644)
            os.dup2(opened, number)
            os.close(opened)
        for name in [name for name in os.environ if name.startswith("CONSOLE_")]:
            del os.environ[name]
        os.environ.update(request["environment"])
        tempfile.tempdir = None  # found anew, from this environment
        if request["file_size"]:
            resource.setrlimit(resource.RLIMIT_FSIZE, (request["file_size"], request["file_size"]))
        module, _, function = request["program"].partition(":")
        getattr(importlib.import_module(module), function)(*request["arguments"])
        code = 0
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else 0 if left.code is None else 1
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()

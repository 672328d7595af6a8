"""Processes for the tests of what happens between processes."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from console_core.runs.ledger import Ledger
from tests.lifecycle.failing import Rig
from tests.lifecycle.forking import Forked, Forks
from tests.lifecycle.small_disk import SmallDisk


@pytest.fixture(scope="session")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    opened = Forks(tmp_path_factory.mktemp("forks"))
    try:
        yield opened
    finally:
        opened.close()


@pytest.fixture
def ready(forks: Forks) -> Iterator[Callable[..., Forked]]:
    """Start a program that says "ready", and end it after the test."""
    started: list[Forked] = []

    def start(program: str, *arguments: str) -> Forked:
        process = forks.start(f"tests.lifecycle.programs:{program}", *arguments)
        started.append(process)
        until = time.monotonic() + 60
        while not process.stdout.exists() or "ready" not in process.stdout.read_text():
            assert time.monotonic() < until, process.stderr.read_text()
            time.sleep(0.02)
        return process

    yield start
    for process in started:
        if process.code is None:
            process.kill()


@pytest.fixture
def rig(tmp_path: Path, ledger: Ledger) -> Iterator[Rig]:
    """A build over an empty catalog, that can be made to fail."""
    made = Rig(tmp_path, ledger)
    yield made
    made.close()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A disk that can be filled up."""
    found = SmallDisk(tmp_path / "disk")
    yield found
    found.close()

"""The snapshots of a server on the Backups page: taken, recovered beside what exists, deleted."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from console_core.backup.snapshot_requests import snapshots
from console_core.console import Console
from console_core.runs.types import TERMINAL, RunState
from console_core.vectorstore.types import CollectionSpec, Point
from console_core.web import process
from tests.unit.vectorstore.loopback_qdrant import LoopbackQdrant

OpenPage = Callable[..., AppTest]
Said = Callable[[AppTest], str]


@pytest.fixture(name="remote")
def _remote(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
    """The process's Console on a server with one collection of forty points."""
    with LoopbackQdrant().running() as server:
        monkeypatch.setenv("CONSOLE_STORE_URL", server.url)
        process.stop()
        process.start()
        console = process.console()
        vectors = np.random.default_rng(3).normal(size=(40, 8)).astype(np.float32)
        console.store.create("live", CollectionSpec(8))
        console.store.upsert("live", [Point(number, vector, {}) for number, vector in enumerate(vectors)])
        yield console
        process.stop()


def _settled(console: Console, kind: str) -> None:
    until = time.monotonic() + 30
    while (run := console.ledger.runs(kinds=(kind,), limit=1)[0]).state not in TERMINAL:
        assert time.monotonic() < until, run
        time.sleep(0.05)
    assert run.state is RunState.SUCCEEDED, run.reason


def test_a_snapshot_is_taken_recovered_and_deleted_by_clicks(remote: Console, open_page: OpenPage, said: Said) -> None:
    page = open_page("backups")
    assert "None of this collection yet" in said(page)
    page.button(key="take-snapshot").click().run()
    _settled(remote, "snapshot")
    page.run()
    (snapshot,) = snapshots(remote.store, "live")
    assert "on the server and on this machine" in said(page)
    page.button(key=f"recover-{snapshot.name}").click().run()
    page.button(key="confirm-do").click().run()
    _settled(remote, "recover")
    assert remote.store.count("live__restored") == 40
    page.run()
    page.button(key=f"drop-{snapshot.name}").click().run()
    page.button(key="confirm-do").click().run()
    assert snapshots(remote.store, "live") == []
    assert remote.store.count("live") == 40
    assert not page.exception

# ruff: noqa: T201
"""The server is killed with -9 at twenty random moments of a re-embed, started again, and resumes."""

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from console_core import settings
from console_core.commands import command
from console_core.console import Console, open_console
from console_core.database import Database
from console_core.migration.findings import Request
from console_core.runs.ledger import Ledger
from console_core.runs.types import RunState
from console_core.vectorstore.types import CollectionSpec, ModelStamp, Point
from tests.conftest import OPERATOR, finish, make_workspace
from tests.lifecycle.forking import Forks

PICTURES = 2_000
BATCH = 8
KILLS = 20
SEED = 20261


@contextmanager
def _opened(workspace: Path) -> Iterator[Console]:
    console = open_console(settings.read(workspace, {}), owner_name="the test")
    try:
        yield console
    finally:
        console.close()


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Pictures enough for all lives, a live collection of as many points, and a migration that is queued."""
    folder = make_workspace(tmp_path / "workspace", PICTURES)
    with _opened(folder) as console:
        vectors = np.random.default_rng(SEED).normal(size=(PICTURES, 128)).astype(np.float32)
        console.store.create("live", CollectionSpec(128, stamp=ModelStamp("another", "0" * 16)))
        console.store.upsert("live", [Point(number, vector, {}) for number, vector in enumerate(vectors, start=1)])
        console.store.set_alias("images", "live", expected=None)
        command(console, OPERATOR, "start_migration", request=Request("images", "demo-siglip", batch_size=BATCH))
    return folder


class _Log:
    """The batches that the server was about to write, one line each, over all its lives."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()

    def batches(self) -> list[list[int]]:
        return [json.loads(line)[1:] for line in self.path.read_text().splitlines()]


def _until(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened in time"
        time.sleep(0.004)


def test_killed_at_twenty_random_moments_a_re_embed_ends_with_exactly_the_expected_points(
    workspace: Path, tmp_path: Path, forks: Forks
) -> None:
    dice, log = random.Random(SEED), _Log(tmp_path / "upserts.log")
    database = Database(settings.read(workspace, {}).ledger_url)
    ledger = Ledger(database)
    (run,) = ledger.runs()
    lives, states_at_death, started = [0], Counter[str](), time.monotonic()

    def working() -> bool:
        now = ledger.get(run.id)
        return now.state is RunState.RUNNING and now.attempt == len(lives)

    for kill in range(KILLS):
        server = forks.start("tests.lifecycle.programs:server", str(workspace), str(log.path))
        _until(working)
        batches, delay = dice.randint(0, 4), dice.uniform(0, 0.12)
        _until(lambda wanted=lives[-1] + batches: len(log.batches()) >= wanted)  # type: ignore[misc]
        time.sleep(delay)
        server.kill()
        lives.append(len(log.batches()))
        found = ledger.get(run.id)
        states_at_death[found.state] += 1
        print(
            f"kill {kill + 1}: after {lives[-1] - lives[-2]} batches of this life and {1000 * delay:.0f} ms more, "
            f"{found.counts.done} of {found.counts.selected} recorded"
        )
    server = forks.start("tests.lifecycle.programs:server", str(workspace), str(log.path))
    _until(lambda: ledger.get(run.id).state is RunState.SUCCEEDED)
    server.kill()
    print(f"seed {SEED}: {KILLS} kills and the rest in {time.monotonic() - started:.1f} s")

    assert states_at_death == {RunState.RUNNING: KILLS}
    ended = ledger.get(run.id)
    counts, attempts = ended.counts, ledger.attempts(run.id)
    assert (counts.selected, counts.done, counts.all_skipped, counts.all_failed) == (PICTURES, PICTURES, 0, 0)
    assert [attempt.outcome for attempt in attempts] == ["interrupted"] * KILLS + ["succeeded"]
    assert sum(attempt.done for attempt in attempts) == PICTURES
    database.close()

    written = log.batches()
    again, seen = [], set[int]()
    for start, end in zip(lives, [*lives[1:], len(written)], strict=True):
        again.append([batch for batch in written[start:end] if seen & set(batch)])
        seen |= {key for batch in written[start:end] for key in batch}
    assert seen == set(range(1, PICTURES + 1))
    assert again[0] == []
    most = 2  # one that was written while another was recorded
    assert all(len(batches) <= most for batches in again), "at most two batches twice for each kill"
    assert sum(map(len, written)) - PICTURES <= KILLS * BATCH
    print(f"{sum(map(len, again))} of {KILLS} kills had a batch written twice")

    with _opened(workspace) as console:
        assert {point.id for point in console.store.scroll(ended.target)} == set(range(1, PICTURES + 1))
        assert console.store.count(ended.target) == PICTURES
        assert console.store.aliases() == {"images": "live"}
        assert console.store.count("live") == PICTURES
        recovered = [entry for entry in console.ledger.journal(limit=500) if entry.action == "recover"]
        assert [entry.subject for entry in recovered] == [run.id] * KILLS
        verify = finish(console, command(console, OPERATOR, "verify", collection=ended.target))
        assert verify.result is not None
        assert verify.result["verdict"] == "green", verify.result["checks"]

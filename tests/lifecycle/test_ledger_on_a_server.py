"""A ledger on a real PostgreSQL server: its clock, its owner, its writers, and dry runs that leave it as it is."""

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select

from console_core import settings
from console_core.console import open_console
from console_core.database import _ALONE, Database, Standing, now, standing
from console_core.errors import LedgerUnavailable
from console_core.judging.judgements import Judgements
from console_core.judging.protocol import Protocol
from console_core.judging.query_sets import QuerySets, query
from console_core.migration.findings import Request
from console_core.migration.preflight import preflight
from console_core.rollout.share import Share, Shares, shares
from console_core.runs.ledger import Ledger
from console_core.runs.owner import Owner, holder_of
from tests.conftest import fill, make_workspace
from tests.postgres import Postgres, running

WRONG_CLOCK = """
CREATE SCHEMA IF NOT EXISTS wrong;
CREATE OR REPLACE FUNCTION wrong.now() RETURNS timestamptz LANGUAGE sql
AS $$ SELECT pg_catalog.now() + interval '{seconds} seconds' $$;
ALTER ROLE postgres SET search_path = wrong, public, pg_catalog;
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A server of its own: its role's settings are changed."""
    with running() as found:
        yield found


@pytest.fixture
def url(server: Postgres, request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database of its own."""
    name = f"t{abs(hash(request.node.nodeid))}"
    with server.database(name):
        yield server.url(name).replace("postgresql:", "postgresql+psycopg:")
        server.execute("ALTER ROLE postgres RESET search_path")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return make_workspace(tmp_path / "workspace", 24)


def _dump(server: Postgres, url: str) -> str:
    """Everything in the database, as text."""
    name, _, host = url.partition("@/")[2].partition("?host=")
    command = [str(server.programs / "pg_dump"), "-h", host, "-U", "postgres", name]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return "\n".join(line for line in done.stdout.splitlines() if not line.startswith(("\\restrict", "\\unrestrict")))


@pytest.mark.parametrize(
    ("seconds", "severity", "word"),
    [(0, None, ""), (10, "warn", "behind"), (3600, "block", "behind"), (-3600, "block", "ahead of")],
)
def test_a_servers_clock_that_differs_is_found_with_the_seconds(
    url: str, server: Postgres, workspace: Path, seconds: int, severity: str | None, word: str
) -> None:
    if seconds:
        server.execute(WRONG_CLOCK.format(seconds=seconds), url.partition("@/")[2].partition("?")[0])
    console = open_console(settings.read(workspace, {"CONSOLE_LEDGER_URL": url}), owner_name="a test")
    try:
        fill(console, "images__demo-clip", "demo-clip", alias="images")
        found = preflight(console.preflight_parts(), Request("images", "demo-siglip"))
    finally:
        console.close()
    about = [finding for finding in found.findings if finding.code == "clock-differs"]
    assert [finding.severity.value for finding in about] == ([severity] if severity else [])
    for finding in about:
        assert word in finding.message
        assert f"{abs(seconds):,} s" in finding.message or f"{abs(seconds) - 1:,} s" in finding.message
        assert finding.remedy
        print(f"{finding.code:20} {finding.severity:5}  {finding.message}")  # noqa: T201


def test_a_dry_run_reads_a_servers_ledger_that_is_up_to_date_and_writes_nothing_there(
    url: str, server: Postgres, workspace: Path
) -> None:
    configured = settings.read(workspace, {"CONSOLE_LEDGER_URL": url})
    console = open_console(configured, owner_name="a test")
    fill(console, "images__demo-clip", "demo-clip", alias="images")
    console.ledger.note("olga", "look", "images")
    console.close()
    before = _dump(server, url)
    dry = open_console(configured, dry=True)
    try:
        assert not preflight(dry.preflight_parts(), Request("images", "demo-siglip")).blocked
        assert [entry.action for entry in dry.ledger.journal()] == ["look"]
    finally:
        dry.close()
    assert _dump(server, url) == before


def test_a_dry_run_makes_no_tables_where_there_are_none_and_refuses_older_ones(
    url: str, server: Postgres, workspace: Path
) -> None:
    configured = settings.read(workspace, {"CONSOLE_LEDGER_URL": url})
    assert standing(url) is Standing.ABSENT
    dry = open_console(configured, dry=True)
    assert dry.ledger.runs() == []
    dry.close()
    assert standing(url) is Standing.ABSENT
    database = Database(url)
    assert standing(url) is Standing.UP_TO_DATE
    with database.transaction() as connection:
        connection.exec_driver_sql("DROP TABLE alias_moves")
    database.close()
    before = _dump(server, url)
    assert standing(url) is Standing.BEHIND
    with pytest.raises(LedgerUnavailable, match="older version"):
        open_console(configured, dry=True)
    assert _dump(server, url) == before


def test_who_has_a_servers_ledger_is_told_without_a_write(url: str) -> None:
    database = Database(url)
    try:
        Ledger(database)
        assert holder_of(url, database) is None
        with Owner.acquire(database, "the console"):
            holder = holder_of(url, database)
            assert holder is not None
            assert (holder.name, holder.pid) == ("the console", os.getpid())
        assert holder_of(url, database) is None
    finally:
        database.close()


def _at_once(*acts: Callable[[], object]) -> list[object]:
    """What each of several acts returned that were begun in the same moment."""
    start = threading.Barrier(len(acts))

    def act(one: Callable[[], object]) -> object:
        start.wait()
        return one()

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(act, acts))


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    found = Database(url)
    yield found
    found.close()


def test_of_several_who_decide_about_an_aliases_traffic_at_once_one_decides(database: Database) -> None:
    kept = Shares(database)
    last: Share | None = None
    for hundredths in range(1, 6):
        wanted = [
            Share(now(), f"judge {number}", "images", "old", "new", "f00d", hundredths * 100 + number)
            for number in range(6)
        ]
        before = last
        took = _at_once(*[partial(kept.add, one, instead_of=before) for one in wanted])
        assert took.count(True) == 1
        last = kept.newest("images")
        assert last == wanted[took.index(True)]


def test_versions_of_a_query_set_that_are_saved_at_once_are_all_kept(database: Database) -> None:
    kept = QuerySets(database)
    saving = [
        partial(kept.save, "animals", [query(f"a cat {number}")], origin="a test", by="olga") for number in range(6)
    ]
    _at_once(*saving)
    assert [one.version for one in kept.versions("animals")] == [6, 5, 4, 3, 2, 1]
    assert {kept.queries(one)[0].text for one in kept.versions("animals")} == {f"a cat {n}" for n in range(6)}


def test_words_of_judges_that_are_taken_back_at_once_are_each_taken_back(database: Database) -> None:
    records = Judgements(database)
    evaluation = records.get(records.begin("s-1", [0, 1], Protocol(), by="olga"))
    for number in range(4):
        records.judge(evaluation, f"query {number}", "7", 1, by="ann")
    assert all(_at_once(*[partial(records.undo, evaluation, by="ann")] * 4))
    assert records.of(evaluation.id) == []


def test_who_reads_a_ledger_sees_one_state_and_waits_for_no_writer(database: Database) -> None:
    kept = Shares(database)
    with database.reading() as connection:
        assert connection.execute(select(shares)).all() == []
        with database.transaction():
            assert kept.newest("images") is None
        kept.add(Share(now(), "olga", "images", "old", "new", "f00d", 100), instead_of=None)
        assert connection.execute(select(shares)).all() == []
    assert kept.newest("images") is not None


def test_a_writer_that_others_keep_waiting_gives_up_with_what_to_do(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console_core.database._ALONE", _ALONE.replace("15s", "20ms"))
    with (
        database.transaction(),
        pytest.raises(LedgerUnavailable, match="lock timeout") as refused,
        database.transaction(),
    ):
        pytest.fail("two writers at once")
    assert "not locked" in refused.value.remedy

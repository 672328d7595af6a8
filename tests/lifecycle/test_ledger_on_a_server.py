"""A ledger on a real PostgreSQL server: its clock, its owner, and dry runs that leave it as it is."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from console_core import settings
from console_core.console import open_console
from console_core.database import Database, Standing, standing
from console_core.errors import LedgerUnavailable
from console_core.migration.findings import Request
from console_core.migration.preflight import preflight
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

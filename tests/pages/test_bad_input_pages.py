"""Every page while something that it needs is away: a message and a remedy, never a trace and never an incident."""

import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from console_core.runs.types import Lane
from console_core.ui.navigation import PAGES
from console_core.web import process

OpenPage = Callable[..., AppTest]

NAMES = [page.name for page in PAGES]
AWAY = "http://127.0.0.1:9"
DATABASE = '[catalog]\nkind = "sql"\nlocation = "sqlite:///app.db"\ntable = "images"\npaths = ["path"]\n'


@pytest.fixture(autouse=True)
def _closed(workspace: Path) -> Iterator[None]:
    """Nothing is open before and after each test."""
    process.stop()
    yield
    process.stop()


@pytest.fixture(name="application")
def _application(workspace: Path) -> Path:
    """The database of an application that the workspace's catalog is read from."""
    database = workspace / "app.db"
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE images (id INTEGER PRIMARY KEY, path TEXT)")
        connection.execute("INSERT INTO images VALUES (1, 'anna/1.jpg')")
    connection.close()
    (workspace / "console.toml").write_text(DATABASE + '[store]\nurl = "local:qdrant"\n[images]\nroot = "images"\n')
    return database


def errors(page: AppTest) -> list[str]:
    """What the page says is wrong, each with its remedy; that it shows nothing worse is checked here."""
    assert not page.exception
    texts = [str(one.value) for one in (*page.markdown, *page.caption, *page.sidebar.caption)]
    found = [f"{error.proto.title} → {error.value}".replace("\\", "") for error in page.error]
    for worse in ("Traceback", "incident", "Something went wrong"):
        assert not [text for text in (*texts, *found) if worse in text]
    assert all(error.value for error in page.error)
    return found


def can_try_again(page: AppTest) -> bool:
    return any(str(button.key).startswith("try-again-") for button in page.button)


@pytest.fixture(name="away")
def _away(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store is a server that is not there, and is asked once only."""
    (workspace / "console.toml").write_text('[catalog]\nlocation = "images"\n[store]\nretries = 0\n')
    monkeypatch.setenv("CONSOLE_STORE_URL", AWAY)
    process.start()


@pytest.mark.usefixtures("away")
@pytest.mark.parametrize(
    "name",
    [name for name in NAMES if name not in ("runs", "activity", "connections", "settings", "migrations", "judging")],
)
def test_a_page_that_needs_a_server_that_is_away_says_so(name: str, open_page: OpenPage) -> None:
    page = open_page(name)
    (said,) = errors(page)
    assert f"{AWAY} cannot be reached" in said
    assert "Check that Qdrant runs there" in said
    assert can_try_again(page)


@pytest.mark.usefixtures("away")
@pytest.mark.parametrize("name", ["runs", "activity", "connections", "settings"])
def test_runs_activity_connections_and_settings_work_while_the_store_is_away(name: str, open_page: OpenPage) -> None:
    console = process.console()
    run = console.ledger.submit(
        kind="coverage", lane=Lane.STORE, title="Measure", target="a", spec={}, actor="me", selected=6, writes=False
    )
    assert not errors(open_page(name))
    assert not errors(open_page("runs", run=run.id))


@pytest.mark.usefixtures("away")
def test_the_foot_of_the_menu_calls_no_store_connected_that_has_not_answered(open_page: OpenPage) -> None:
    page = open_page()
    assert "connected" not in page.sidebar.caption[0].value
    page.run()
    assert "not reachable" in page.sidebar.caption[0].value


@pytest.mark.alone
def test_a_refused_connection_keeps_a_page_waiting_for_less_than_three_seconds(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSOLE_STORE_URL", AWAY)
    process.start()
    page = open_page()
    began = time.monotonic()
    page.button(key="try-again-overview").click().run()
    assert time.monotonic() - began < 3
    assert errors(page)


@pytest.mark.usefixtures("away")
def test_the_test_of_a_connection_says_what_is_wrong_with_the_server(open_page: OpenPage) -> None:
    page = open_page("connections")
    page.button(key="test-vector-store").click().run()
    assert f"{AWAY} cannot be reached" in errors(page)[0]


@pytest.mark.parametrize("name", NAMES)
def test_a_catalog_whose_database_vanished_while_the_console_ran(
    name: str, application: Path, open_page: OpenPage
) -> None:
    process.start()
    assert process.problem() is None
    application.unlink()
    said = errors(open_page(name))
    assert all("app.db" in text for text in said)
    assert bool(said) is (name in ("overview", "connections"))


@pytest.mark.parametrize("name", NAMES)
def test_a_catalog_that_is_not_there_when_the_console_starts(name: str, application: Path, open_page: OpenPage) -> None:
    application.unlink()
    process.start()
    page = open_page(name)
    assert "app.db" in errors(page)[0]
    assert can_try_again(page)


@pytest.mark.parametrize("name", NAMES)
def test_a_ledger_whose_driver_is_not_installed(
    name: str, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "MySQLdb", None)
    monkeypatch.setenv("CONSOLE_LEDGER_URL", "mysql://olga:s3cret@host/books")
    process.start()
    page = open_page(name)
    said = errors(page)[0]
    assert "needs the driver MySQLdb" in said
    assert "Install MySQLdb" in said
    assert "s3cret" not in said
    assert can_try_again(page)

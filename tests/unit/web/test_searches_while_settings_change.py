"""Programs that search while settings are changed: they wait for the new Console, and the old one for them."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from console_core.console import open_console
from console_core.settings.changing import Change
from console_core.web import process, waiting
from console_core.web.changing import change_settings
from console_core.web.guard import MIDDLEWARE
from console_core.web.lifespan import lifespan
from console_core.web.routes import ROUTES
from tests.conftest import OPERATOR, fill, make_workspace

TOKEN = "0123456789abcdef-of-the-test"
BEARER = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module", name="workspace")
def _workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_workspace(tmp_path_factory.mktemp("changing") / "workspace", 4)


@pytest.fixture(name="client")
def _client(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setenv("CONSOLE_WORKSPACE", str(workspace))
    monkeypatch.setenv("CONSOLE_API_TOKEN", TOKEN)
    process.stop()
    app = Starlette(routes=ROUTES, middleware=MIDDLEWARE, lifespan=lifespan(lambda: None))
    with TestClient(app, base_url="http://127.0.0.1:8501") as client:
        store = process.console().store
        if "images" not in store.aliases():
            fill(process.console(), "images__demo-clip", "demo-clip", alias="images")
        yield client
    process.stop()


def search(client: TestClient) -> Any:
    return client.post("/api/v1/search", json={"text": "a red square"}, headers=BEARER)


class Door:
    """Opening the Console waits until it is let through."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.within, self.go_on = threading.Event(), threading.Event()
        monkeypatch.setattr(process, "open_console", self)

    def __call__(self, *given: Any, **named: Any) -> Any:
        self.within.set()
        assert self.go_on.wait(20)
        return open_console(*given, **named)


@pytest.fixture(name="door")
def _door(monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    door = Door(monkeypatch)
    yield door
    door.go_on.set()


@pytest.fixture(name="reopening")
def _reopening() -> Iterator[Callable[[], threading.Thread]]:
    begun: list[threading.Thread] = []

    def begin() -> threading.Thread:
        begun.append(threading.Thread(target=lambda: process.reopen(lambda: None)))
        begun[-1].start()
        return begun[-1]

    yield begin
    for thread in begun:
        thread.join(20)


def test_searches_throughout_changes_of_settings_are_all_answered(client: TestClient) -> None:
    done, statuses, generations = threading.Event(), list[int](), set[int]()

    def searches() -> None:
        while not done.is_set():
            generations.add(process.generation())
            statuses.append(search(client).status_code)

    before = process.generation()
    with ThreadPoolExecutor(4) as pool:
        searching = [pool.submit(searches) for _ in range(4)]
        for timeout in (45, 46, 47):
            change_settings(OPERATOR, "store", [Change(("store", "timeout"), timeout)])
        assert search(client).status_code == 200
        done.set()
    assert [one.exception() for one in searching] == [None] * 4
    assert set(statuses) == {200}
    assert process.generation() == before + 3
    assert len(generations) > 1
    assert process.console().settings.store.timeout == 47


def test_a_search_that_waits_holds_nothing_else_up_and_is_answered_by_the_new_console(
    client: TestClient, reopening: Callable[[], threading.Thread], door: Door
) -> None:
    former = process.console()
    reopening()
    assert door.within.wait(20)
    with ThreadPoolExecutor(2) as pool:
        waits = [pool.submit(search, client)]
        waits.append(pool.submit(lambda: client.get("/api/v1/collections", headers=BEARER)))
        assert client.get("/healthz").status_code == 200
        assert not any(one.done() for one in waits)
        door.go_on.set()
        assert [one.result(20).status_code for one in waits] == [200, 200]
    assert process.console() is not former


def test_a_change_that_takes_longer_than_a_request_waits_is_told_with_when_to_ask_again(
    client: TestClient, reopening: Callable[[], threading.Thread], door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "PATIENCE", 0.05)
    reopening()
    assert door.within.wait(20)
    answer = search(client)
    door.go_on.set()
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


def test_a_console_that_is_held_is_closed_only_when_it_is_let_go(
    client: TestClient, reopening: Callable[[], threading.Thread]
) -> None:
    held = process.hold()
    assert held is not None
    change = reopening()
    while process.opened() is not None:
        pass
    assert process.is_opening()
    assert [info.name for info in held.store.collections()] == ["images__demo-clip"]
    assert process.hold() is None
    process.let_go(held)
    change.join(20)
    assert process.opened() not in (None, held)


def test_who_holds_a_console_for_too_long_does_not_keep_settings_from_changing(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "LETS_FINISH", 0.05)
    held = process.hold()
    assert held is not None
    assert process.reopen(lambda: None) is not held
    process.let_go(held)

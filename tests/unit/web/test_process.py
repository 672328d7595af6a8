"""The one Console of a process."""

import importlib
import runpy
import sys
import threading
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.runtime.scriptrunner.exec_code import modified_sys_path

from console_core import web
from console_core.console import open_console
from console_core.errors import ConsoleError, LedgerOwned, SettingsError
from console_core.web import process
from console_core.web.lifespan import lifespan


@pytest.fixture(autouse=True)
def _started(workspace: Path) -> None:
    process.start()


def test_all_threads_get_the_same_console() -> None:
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(process.console())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len({id(console) for console in found}) == 1


def test_it_survives_when_its_module_is_loaded_again() -> None:
    first = process.console()
    del sys.modules["console_core.web.process"]
    again = importlib.import_module("console_core.web.process")
    try:
        assert again is not process
        assert again.console() is first
    finally:
        sys.modules["console_core.web.process"] = web.process = process  # the package names the new one too


def test_what_prevents_opening_is_kept_and_tried_again_when_mended(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process.stop()
    file = workspace / "console.toml"
    right = file.read_text()
    file.write_text("no toml")
    process.start()
    assert isinstance(process.problem(), SettingsError)
    file.write_text(right)
    with pytest.raises(SettingsError):
        process.console()
    monkeypatch.setattr(process, "RETRY_AFTER", 0.0)
    assert process.console() is process.opened()
    assert process.problem() is None


def test_a_stopped_console_is_not_opened_again_by_a_late_visitor() -> None:
    process.stop()
    with pytest.raises(ConsoleError, match="shutting down"):
        process.console()
    assert process.opened() is None


def test_while_another_thread_is_opening_a_probe_does_not_wait() -> None:
    process.stop()
    lock = process._state().lock
    answers: list[object] = []
    with lock:
        thread = threading.Thread(target=lambda: answers.append(process.poll()))
        thread.start()
        thread.join(5)
    assert answers == [None]


def test_a_second_owner_of_the_workspace_is_refused(workspace: Path) -> None:
    from console_core import settings
    from console_core.console import open_console

    process.console()
    with pytest.raises(LedgerOwned, match="console on"):
        open_console(settings.read(workspace), owner_name="a second server")


def test_what_nobody_foresaw_is_a_problem_with_an_incident_number_and_its_trace_is_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a detail")

    process.stop()
    monkeypatch.setattr(process, "open_console", broken)
    process.start()
    problem = process.problem()
    assert problem is not None
    assert "a detail" not in str(problem)
    number = problem.message.split("incident ")[1].split(")")[0]
    assert f"Incident {number}" in caplog.text
    assert "a detail" in caplog.text


def test_whoever_asks_while_it_is_opened_anew_waits_and_a_probe_does_not(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    former, generation = process.console(), process.generation()
    real, within, go_on = open_console, threading.Event(), threading.Event()
    found: list[object] = []

    def slow(*given: object, **named: object) -> object:
        within.set()
        assert go_on.wait(20)
        return real(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(process, "open_console", slow)
    reopening = threading.Thread(target=lambda: process.reopen(lambda: None))
    reopening.start()
    assert within.wait(20)
    visitor = threading.Thread(target=lambda: found.append(process.console()))
    visitor.start()
    assert (process.opened(), process.poll()) == (None, None)
    assert not found
    go_on.set()
    for thread in (reopening, visitor):
        thread.join(20)
    assert found == [process.opened()]
    assert found[0] is not former
    assert process.generation() == generation + 1


def test_what_cannot_be_opened_anew_is_undone_and_its_reason_told(workspace: Path) -> None:
    process.console()
    file = workspace / "console.toml"
    right = file.read_text()
    file.write_text("no toml")

    def undo() -> None:
        file.write_text(right)

    with pytest.raises(SettingsError, match="valid TOML"):
        process.reopen(undo)
    assert process.opened() is not None
    assert process.problem() is None


def test_a_stopped_console_is_not_opened_anew() -> None:
    process.stop()
    with pytest.raises(ConsoleError, match="shutting down"):
        process.reopen(lambda: None)
    assert process.opened() is None


def test_a_request_that_comes_before_the_thread_that_opens_the_console_opens_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    process.stop()
    begun = threading.Event()
    monkeypatch.setattr("console_core.web.lifespan._start", lambda _warm_up: begun.wait(20))
    with TestClient(Starlette(lifespan=lifespan(lambda: None))):
        assert process.console() is process.opened()
        begun.set()
    assert process.opened() is None


def test_a_page_that_is_drawn_leaves_alone_where_threads_look_for_modules() -> None:
    """Streamlit would put the script's folder there and take it out again: a thread may miss what it looks for."""
    shell = runpy.run_path(str(Path(__file__).parents[3] / "app.py"))["SHELL"]
    before = list(sys.path)
    with modified_sys_path(str(shell)):
        assert sys.path == before
    sys.path.remove(str(shell.parent))
    with modified_sys_path(str(shell)):
        assert sys.path != before
    assert sys.path == [one for one in before if one != str(shell.parent)]

"""A secret that stands in console.toml, or that a person types, reaches neither a page, nor the ledger, nor the log."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from console_core.ui.session import _FLASH
from console_core.web import process

OpenPage = Callable[..., AppTest]
PLANTED = "pl4ntedSecret"
FILE = "console.toml"
TEXT = '[catalog]\nlocation = "images"\n[store]\nretries = 0\ntimeout = 2\n'


@pytest.fixture(name="start")
def _start(workspace: Path, open_page: OpenPage) -> Iterator[Callable[[str], AppTest]]:
    """The Connections page of a workspace whose file has these further lines."""

    def start(lines: str) -> AppTest:
        (workspace / FILE).write_text(TEXT + lines)
        process.stop()
        process.start()
        return open_page("connections")

    yield start
    process.stop()


def everything(page: AppTest) -> str:
    """All that goes to the browser, widgets and their states too, and what waits for the next run."""
    sent = "\n".join(str(getattr(node, "proto", "")) for node in page._tree)
    assert "Vector store" in sent
    return f"{sent}\n{page.session_state.get(_FLASH, ())}"


def press(page: AppTest, key: str) -> AppTest:
    return page.button(key=key).click().run(timeout=60)


def nowhere(page: AppTest, workspace: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The planted secret is on no page, in no byte of the ledger and in no line of the log."""
    assert PLANTED not in everything(page)
    ledger = [file for file in workspace.iterdir() if file.name.startswith("ledger.db")]
    assert ledger
    assert not [file.name for file in ledger if PLANTED.encode() in file.read_bytes()]
    assert PLANTED not in caplog.text


def test_a_key_in_the_file_is_never_shown_and_stays_when_something_else_is_saved(
    start: Callable[[str], AppTest], workspace: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    page = press(start(f'url = "http://127.0.0.1:9"\napi_key = "{PLANTED}"\n'), "edit-store")
    assert page.text_input(key="form-store--api_key").value == ""
    assert "written in console.toml" in everything(page)
    page.number_input(key="form-store--timeout").set_value(3).run()
    press(page, "form-save")
    nowhere(page, workspace, caplog)
    press(page, "form-save-anyway")
    nowhere(page, workspace, caplog)
    assert f'api_key = "{PLANTED}"' in (workspace / FILE).read_text()
    assert process.console().settings.store.api_key == PLANTED


def test_a_key_leaves_the_file_for_a_variable_that_is_named(
    start: Callable[[str], AppTest],
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    page = press(start(f'url = "local:qdrant"\napi_key = "{PLANTED}"\n'), "edit-store")
    page.text_input(key="form-store--api_key").set_value("HOUSE_KEY").run()
    assert any("not set" in caption.value for caption in page.caption)
    press(page, "form-save")
    assert "no environment variable of this name" in page.error[0].value.replace("\\", "")
    monkeypatch.setenv("HOUSE_KEY", PLANTED)
    press(page, "form-save")
    assert 'api_key = "${HOUSE_KEY}"' in (workspace / FILE).read_text()
    assert any("console.toml.before still has the secret" in toast.value.replace("\\", "") for toast in page.toast)
    assert process.console().settings.store.api_key == PLANTED
    nowhere(page, workspace, caplog)


def test_an_address_with_a_password_is_shown_without_it_and_stays(
    start: Callable[[str], AppTest], workspace: Path, caplog: pytest.LogCaptureFixture
) -> None:
    page = start(f'url = "postgresql://olga:{PLANTED}@127.0.0.1:9/app"\n')
    press(page, "edit-store")
    assert page.text_input(key="form-store--url").value == ""
    assert any("olga:•••@127.0.0.1" in caption.value.replace("\\", "") for caption in page.caption)
    page.number_input(key="form-store--retries").set_value(1).run()
    press(page, "form-save")
    nowhere(page, workspace, caplog)
    press(page, "form-save-anyway")
    nowhere(page, workspace, caplog)
    assert PLANTED in (workspace / FILE).read_text()
    assert process.console().settings.store.retries == 1


@pytest.mark.parametrize(
    ("form", "address"),
    [
        ("store", "postgresql://olga:{}@db/app"),
        ("store", "https://{}@host:6333"),
        ("catalog", "mysql://reader:{}@db/app"),
        ("catalog", "postgresql://reader@db/app?password={}"),
    ],
)
def test_an_address_that_is_typed_with_a_password_is_refused_without_repeating_it(
    start: Callable[[str], AppTest], workspace: Path, form: str, address: str
) -> None:
    page = press(start('url = "local:qdrant"\n'), f"edit-{form}")
    name = {"store": "url", "catalog": "location"}[form]
    page.text_input(key=f"form-{form}--{name}").set_value(address.format(PLANTED)).run()
    press(page, "form-save")
    (error,) = page.error
    assert "${NAME}" in error.value.replace("\\", "")
    assert PLANTED not in error.value
    assert PLANTED not in (workspace / FILE).read_text()
    assert not [file for file in workspace.iterdir() if "ledger" in file.name and PLANTED.encode() in file.read_bytes()]


def test_a_secret_that_is_typed_where_a_variable_s_name_belongs_is_not_repeated(
    start: Callable[[str], AppTest], workspace: Path, caplog: pytest.LogCaptureFixture
) -> None:
    page = press(start('url = "local:qdrant"\n'), "edit-store")
    page.text_input(key="form-store--api_key").set_value(PLANTED).run()
    press(page, "form-save")
    assert not [one for one in (*page.error, *page.caption, *page.markdown) if PLANTED in one.value]
    assert PLANTED not in (workspace / FILE).read_text()
    assert PLANTED not in caplog.text
    assert not [file for file in workspace.iterdir() if "ledger" in file.name and PLANTED.encode() in file.read_bytes()]


def test_a_variable_cannot_be_read_by_naming_it_where_it_would_be_shown(
    start: Callable[[str], AppTest], workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOMEBODY_S_KEY", PLANTED)
    page = press(start('url = "local:qdrant"\n'), "edit-images")
    page.text_area(key="form-images--root").set_value("images\n${SOMEBODY_S_KEY}").run()
    press(page, "form-test")
    assert "refers to the environment" in page.error[0].value
    assert PLANTED not in everything(page)
    assert "SOMEBODY" not in (workspace / FILE).read_text()


def test_what_a_driver_says_of_a_password_is_told_without_it(
    start: Callable[[str], AppTest], monkeypatch: pytest.MonkeyPatch, workspace: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("HOUSE_KEY", PLANTED)
    page = press(start('url = "local:qdrant"\n'), "edit-store")
    page.text_input(key="form-store--url").set_value("postgresql://olga:${HOUSE_KEY}@127.0.0.1:9/app").run()
    press(page, "form-save")
    assert page.error
    nowhere(page, workspace, caplog)


def test_the_token_of_the_search_api_in_the_file_is_told_to_be_there_and_never_what_it_is(
    start: Callable[[str], AppTest], workspace: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    page = press(start(f'[api]\ntoken = "0123456789abcdef{PLANTED}"\n'), "edit-api")
    assert page.text_input(key="form-api--token").value == ""
    assert "written in console.toml" in everything(page)
    page.toggle(key="form-api--enabled").set_value(False).run()
    press(page, "form-save")
    assert process.console().settings.api_token == ""
    assert PLANTED in (workspace / FILE).read_text()
    nowhere(page, workspace, caplog)

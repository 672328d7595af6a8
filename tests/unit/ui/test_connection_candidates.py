"""What a form says is asked beside what the console uses, and for a limited time."""

import socket
from pathlib import Path

import pytest

from console_core import settings
from console_core.console import Console
from console_core.ui.connections import candidates
from console_core.ui.connections.candidates import tried


def candidate(console: Console, text: str) -> settings.Settings:
    return settings.read(console.settings.workspace, {}, text=f'[catalog]\nlocation = "images"\n{text}')


def test_a_server_that_takes_the_connection_and_says_nothing_is_not_waited_for(console: Console) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        asked = candidate(console, f'[store]\nurl = "http://127.0.0.1:{silent.getsockname()[1]}"\n')
        outcome = tried(candidates.store, console, asked, "", patience=0.2)
    assert (outcome.works, outcome.said) == (False, "No answer within 0.2 s.")


@pytest.mark.parametrize("url", ["local:new/store", "edge:new/store", "sqlite:///new.db", "blob:sqlite:///new.db"])
def test_a_store_that_is_not_there_yet_is_said_to_be_new_and_is_not_made(console: Console, url: str) -> None:
    before = sorted(path.name for path in console.settings.workspace.iterdir())
    outcome = tried(candidates.store, console, candidate(console, f'[store]\nurl = "{url}"\n'), "")
    assert outcome.works
    assert "an empty store will be made" in outcome.said
    assert sorted(path.name for path in console.settings.workspace.iterdir()) == before


def test_a_store_where_nothing_can_be_made_does_not_work(console: Console, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    outcome = tried(
        candidates.store, console, candidate(console, f'[store]\nurl = "local:{tmp_path}/file/store"\n'), ""
    )
    assert not outcome.works
    assert "is not a folder" in outcome.said


def test_another_store_is_asked_and_left_as_it_is(console: Console, tmp_path: Path) -> None:
    from console_core.vectorstore.opening import open_store
    from console_core.vectorstore.types import CollectionSpec

    made = open_store(settings.StoreSettings(f"local:{tmp_path / 'other'}"))
    made.create("theirs", CollectionSpec(4))
    made.close()
    outcome = tried(candidates.store, console, candidate(console, f'[store]\nurl = "local:{tmp_path / "other"}"\n'), "")
    assert outcome.said == "It answers: 1 collection with 0 points."
    assert [one for one in outcome.remarks if "Qdrant, embedded" in one]

"""The Backups page: back up, prove, restore into a new name, and delete with the name typed."""

import time
from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from console_core.backup.backups import BackupState
from console_core.commands import command
from console_core.console import Console
from console_core.runs.types import TERMINAL, RunState
from tests.conftest import OPERATOR

OpenPage = Callable[..., AppTest]
Said = Callable[[AppTest], str]
OLD = "images__old"


def _settled(console: Console, kind: str) -> None:
    until = time.monotonic() + 30
    while (run := console.ledger.runs(kinds=(kind,), limit=1)[0]).state not in TERMINAL:
        assert time.monotonic() < until, run
        time.sleep(0.02)
    assert run.state is RunState.SUCCEEDED, run.reason


def _backed_up(console: Console) -> str:
    command(console, OPERATOR, "back_up", collection="images")
    _settled(console, "backup")
    return console.backups.all()[0].id


def test_a_store_without_a_collection_has_nothing_to_back_up(console: Console, open_page: OpenPage, said: Said) -> None:
    page = open_page("backups")
    assert not page.exception
    assert "The store is empty" in said(page)
    assert "no snapshots of its own" in said(page)


def test_a_collection_is_backed_up_and_proven_and_the_page_says_what_to_do_next(
    filled: Console, open_page: OpenPage, said: Said
) -> None:
    page = open_page("backups")
    assert "No backups yet" in said(page)
    page.button(key="back-up").click().run()
    _settled(filled, "backup")
    page.run()
    (backup,) = filled.backups.all()
    assert (backup.state, backup.points) == (BackupState.UNPROVEN, 6)
    assert "6 points" in said(page)
    page.button(key=f"prove-{backup.id}").click().run()
    _settled(filled, "prove")
    page.run()
    assert filled.backups.get(backup.id).proven
    assert "by tester, 0 differences" in said(page)
    assert f"prove-{backup.id}" not in {str(button.key) for button in page.button}
    assert not page.exception


def test_a_restore_asks_for_a_name_that_is_free(filled: Console, open_page: OpenPage, said: Said) -> None:
    backup = _backed_up(filled)
    page = open_page("backups")
    page.button(key=f"restore-{backup}").click().run()
    asked = page.text_input(key="restore-into")
    assert asked.value == f"{OLD}__restored"
    page.text_input(key="restore-into").set_value("images").run()
    assert "is taken" in said(page)
    assert page.button(key="restore-do").disabled
    page.text_input(key="restore-into").set_value("back").run()
    page.button(key="restore-do").click().run()
    _settled(filled, "restore")
    assert filled.store.count("back") == 6
    assert filled.store.aliases() == {"images": OLD}
    page.run()
    assert "Restored" in said(page)


def test_deleting_asks_for_the_collections_name(filled: Console, open_page: OpenPage, said: Said) -> None:
    backup = _backed_up(filled)
    page = open_page("backups")
    page.button(key=f"delete-{backup}").click().run()
    assert page.button(key="confirm-do").disabled
    page.text_input(key="confirm-typed").set_value(OLD).run()
    page.button(key="confirm-do").click().run()
    assert filled.backups.all() == []
    assert filled.store.count(OLD) == 6


def test_a_damaged_backup_says_how_and_offers_nothing_but_its_deletion(
    filled: Console, open_page: OpenPage, said: Said
) -> None:
    backup = _backed_up(filled)
    (filled.backups.folder / backup / "part-00000.parquet").unlink()
    page = open_page("backups")
    assert "missing part" in said(page)
    offered = {str(button.key) for button in page.button}
    assert f"delete-{backup}" in offered
    assert not {f"prove-{backup}", f"restore-{backup}"} & offered


def test_what_was_written_since_is_said(filled: Console, open_page: OpenPage, said: Said) -> None:
    _backed_up(filled)
    filled.store.delete(OLD, [0])
    page = open_page("backups")
    assert "holds 5 points now" in said(page)


def test_a_collection_that_an_archive_cannot_keep_is_not_offered(
    filled: Console, open_page: OpenPage, said: Said
) -> None:
    from qdrant_client import models

    client = filled.store._client  # type: ignore[attr-defined]
    size = models.VectorParams(size=4, distance=models.Distance.COSINE)
    client.create_collection("two", vectors_config=size, sparse_vectors_config={"words": models.SparseVectorParams()})
    page = open_page("backups", collection="two")
    assert page.button(key="back-up").disabled
    assert "It has sparse vectors" in said(page)

"""The wizard's preflight: findings in groups, the gravest first, with answers on the spot; and nothing is written."""

import hashlib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from streamlit.testing.v1 import AppTest

from console_core.console import Console
from console_core.demo.cards import DEMO_CARDS
from console_core.embedding.loaded import LoadedModels
from console_core.embedding.registry import ModelCards
from console_core.migration.findings import About, Finding, Severity
from console_core.ui.wizard.found import grouped
from console_core.vectorstore.types import CollectionSpec, ModelStamp

OpenPage = Callable[..., AppTest]
Said = Callable[[AppTest], str]
CHOSEN = {"view": "new", "served": "images", "model": "demo-siglip"}


def _digests(folder: Path) -> dict[str, tuple[str, int]]:
    return {
        str(file): (hashlib.sha256(file.read_bytes()).hexdigest(), file.stat().st_mtime_ns)
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not file.name.endswith("-shm")  # SQLite's shared memory notes its readers
    }


def test_the_wizards_preflight_leaves_every_file_as_it_was(small: Console, open_page: OpenPage) -> None:
    page = open_page("migrations", view="new")
    before = _digests(small.settings.workspace)
    page = open_page("migrations", **CHOSEN)
    assert not page.exception
    assert not page.button(key="start").disabled
    page.button(key="check-again").click().run()
    open_page("migrations", **CHOSEN, target="images")
    assert _digests(small.settings.workspace) == before
    print(f"{len(before)} files, 3 preflights: none changed")  # noqa: T201


def test_what_blocks_comes_first_each_group_under_what_it_is_about_and_notes_are_tucked_away(
    small: Console, open_page: OpenPage, said: Said
) -> None:
    digest = small.models.get("demo-siglip").fingerprint.digest
    small.store.create("begun", CollectionSpec(192, "euclid", stamp=ModelStamp("demo-siglip", digest)))
    small.store.stamp("images", ModelStamp("lost-model", "0123456789ab"))
    with closing(sqlite3.connect(small.settings.workspace / "catalog.db")) as connection:
        connection.execute("UPDATE images SET original_path = NULL WHERE id % 4 = 0")
        connection.commit()
    page = open_page("migrations", **CHOSEN, target="begun")
    assert not page.exception
    told = said(page)
    assert "**1 thing blocks the build**, and 4 warnings to mind. Nothing was written." in told
    places = [told.index(f"**{title}**") for title in ("The new collection", "What is served now", "The pictures")]
    assert places == sorted(places)
    assert "Settle what blocks; then the build can start." in told
    assert page.button(key="start").disabled
    (notes,) = [expander for expander in page.expander if expander.label.startswith("Good to know")]
    assert "runs on cpu" in " ".join(markdown.value for markdown in notes.markdown)
    assert {markdown.value for markdown in notes.markdown}.isdisjoint({"Blocks", "Warning"})


def test_a_model_without_a_text_tower_is_accepted_on_the_spot_where_people_search_by_picture_only(
    small: Console, open_page: OpenPage, said: Said
) -> None:
    small.models = LoadedModels(ModelCards([DEMO_CARDS[0], replace(DEMO_CARDS[1], has_text=False)]), "cpu")
    page = open_page("migrations", **CHOSEN)
    assert "search by text is wanted" in said(page)
    assert page.button(key="start").disabled
    page.button(key="image-only").click().run()
    assert page.query_params["search"] == "picture"
    assert not page.button(key="start").disabled
    assert "it embeds no texts" in said(page)
    assert "pictures only, no search by text" in said(page)
    assert "text-too" not in {button.key for button in page.button}


def test_a_model_that_embeds_texts_can_be_asked_by_text_after_all(small: Console, open_page: OpenPage) -> None:
    page = open_page("migrations", **CHOSEN, search="picture")
    assert not page.button(key="start").disabled
    page.button(key="text-too").click().run()
    assert "search" not in page.query_params


def test_groups_with_something_that_blocks_lead_and_the_others_keep_their_order() -> None:
    findings = [
        Finding("slice", Severity.WARN, "a"),
        Finding("alias-moved", Severity.WARN, "b"),
        Finding("disk", Severity.BLOCK, "c"),
        Finding("pictures", Severity.BLOCK, "d"),
        Finding("device", Severity.INFO, "e"),
    ]
    groups = [(about, [one.message for one in group]) for about, group in grouped(findings)]
    assert groups == [(About.PICTURES, ["a", "d"]), (About.MACHINE, ["c"]), (About.SOURCE, ["b"])]

"""Every collection, and everything about one, on a small workspace with real pictures and models."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from console_core.console import Console
from console_core.vectorstore.provenance import point_id
from console_core.vectorstore.types import CollectionSpec, ModelStamp, Point
from console_core.web import process
from tests.conftest import PICTURES, fill, make_workspace

OpenPage = Callable[..., AppTest]
Said = Callable[[AppTest], str]
NAME = "images__demo-clip"


@pytest.fixture(name="workspace")
def _workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CONSOLE_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.setenv("CONSOLE_ACTOR", "tester")
    return make_workspace(tmp_path / "workspace")


@pytest.fixture(name="console")
def _console(workspace: Path) -> Iterator[Console]:
    process.stop()
    process.start()
    yield process.console()
    process.stop()


@pytest.fixture(name="filled")
def _filled(console: Console) -> Console:
    fill(console, NAME, "demo-clip", alias="images")
    return console


def unstamped(console: Console, name: str = "found", model: str = "demo-clip") -> None:
    """What another tool made with a model: vectors and payload, and nothing that says which model it was."""
    fill(console, "made", model)
    points = list(console.store.scroll("made", vectors=True))
    console.store.create(name, CollectionSpec(console.models.get(model).card.dimension))
    console.store.upsert(name, [Point(point.id, point.vector, {"caption": "x"}) for point in points])
    console.store.drop("made")


def address(page: AppTest, name: str) -> str:
    """The value of a query parameter; the tester tells those that it was given as lists, and others as text."""
    value = page.query_params[name]
    return value if isinstance(value, str) else value[-1]


def details(page: AppTest, number: int = 0) -> dict[str, str]:
    table = page.table[number].value
    return {str(name): str(row.iloc[0]) for name, row in table.iterrows()}


@pytest.mark.usefixtures("console")
def test_an_empty_store_says_what_to_do(open_page: OpenPage, said: Said) -> None:
    page = open_page("collections")
    assert not page.exception
    assert "The store is empty" in said(page)


def test_the_table_has_a_row_for_every_collection(filled: Console, open_page: OpenPage) -> None:
    filled.store.create("found", CollectionSpec(4, "dot"))
    table = open_page("collections").dataframe[0].value.set_index("Collection")
    known = table.loc[NAME]
    assert (known["Model"], known["Points"], known["Dimension"], known["Distance"]) == (
        "demo-clip",
        PICTURES,
        128,
        "cosine",
    )
    assert list(known["Served as"]) == ["images"]
    assert known["Fingerprint"] == filled.models.get("demo-clip").fingerprint.digest[:8]
    assert (table.loc["found"]["Model"], table.loc["found"]["Fingerprint"]) == ("unknown model", "–")


@pytest.mark.usefixtures("filled")
def test_a_clicked_row_opens_its_collection_and_there_is_a_way_back(open_page: OpenPage) -> None:
    page = open_page("collections")
    page.session_state["collection-table-0"] = {"selection": {"rows": [], "columns": [], "cells": [(0, "Model")]}}
    page.run()
    assert address(page, "collection") == NAME
    assert page.title[0].value == NAME.replace("_", "\\_").replace("-", "\\-")
    page.button(key="all-collections").click().run()
    assert page.title[0].value == "Collections"


def test_a_collection_tells_what_it_holds_and_what_its_store_cannot_do(
    filled: Console, open_page: OpenPage, said: Said
) -> None:
    page = open_page("collections", collection=NAME)
    assert not page.exception
    text = said(page)
    assert "Points 1–28 of 48" in text
    assert "What this store cannot do" in text
    assert filled.models.get("demo-clip").fingerprint.digest in str(details(page))
    assert "there is no index" in text


@pytest.mark.usefixtures("filled")
def test_an_alias_leads_to_its_collection(open_page: OpenPage) -> None:
    assert address(open_page("collections", collection="images"), "collection") == NAME


@pytest.mark.usefixtures("filled")
def test_a_collection_that_vanished_is_explained(open_page: OpenPage, said: Said) -> None:
    page = open_page("collections", collection="gone")
    assert not page.exception
    assert not page.error
    assert "There is no collection gone" in said(page)


@pytest.mark.usefixtures("filled")
def test_a_new_migration_starts_with_the_alias_chosen(open_page: OpenPage) -> None:
    page = open_page("collections", collection=NAME)
    next(button for button in page.button if button.label == "New migration").click().run()
    assert address(page, "served") == "images"
    assert address(page, "view") == "new"


# Points


@pytest.mark.usefixtures("filled")
def test_points_are_paged_to_the_end_and_back_and_the_address_says_where(open_page: OpenPage, said: Said) -> None:
    page = open_page("collections", collection=NAME)
    assert page.button(key="points-previous").disabled
    page.button(key="points-next").click().run()
    assert "Points 29–48 of 48" in said(page)
    assert page.button(key="points-next").disabled
    place = {name: address(page, name) for name in ("after", "before")}
    assert "Points 29–48 of 48" in said(open_page("collections", collection=NAME, **place))
    page.button(key="points-previous").click().run()
    assert "Points 1–28 of 48" in said(page)
    assert "after" not in page.query_params


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("place", [{"after": "zebra", "before": "28"}, {"after": "28", "before": "x"}])
def test_a_place_that_makes_no_sense_never_breaks_the_page(open_page: OpenPage, place: dict[str, str]) -> None:
    page = open_page("collections", collection=NAME, **place)
    assert not page.exception
    assert "incident" not in str([error.value for error in page.error])


@pytest.mark.usefixtures("filled")
def test_the_table_of_points_has_id_key_and_payload(open_page: OpenPage) -> None:
    page = open_page("collections", collection=NAME, view="Table")
    row = page.dataframe[0].value.iloc[2]
    assert (row["Point"], row["Key"], row["caption"], row["user_id"]) == ("3", "3", "square 3", "user-0")
    assert row["Picture"].startswith("/thumb/small/")


def test_a_point_shows_its_payload_and_where_it_comes_from(filled: Console, open_page: OpenPage, said: Said) -> None:
    page = open_page("collections", collection=NAME, point="7")
    tables = str([table.value.to_dict() for table in page.table])
    assert "square 7" in tables
    assert "by hand" in tables
    assert filled.models.get("demo-clip").fingerprint.digest in tables
    assert "/thumb/large/" in str([element.proto for element in page.get("html")])
    assert "orphaned" not in str([warning.value for warning in page.warning])
    assert "This point is gone" in said(open_page("collections", collection=NAME, point="4711"))


def test_a_point_without_a_picture_in_the_catalog_is_called_orphaned(filled: Console, open_page: OpenPage) -> None:
    filled.store.upsert(NAME, [Point(point_id("900"), np.ones(128, np.float32), {})])
    page = open_page("collections", collection=NAME, point="900")
    assert not page.exception
    assert "orphaned" in page.warning[0].value
    shown = open_page("collections", collection=NAME, view="Table", after="28", before="28").dataframe[0].value
    assert "900 (not in the catalog)" in set(shown["Key"])


@pytest.mark.usefixtures("filled")
def test_a_point_is_found_by_its_catalog_key(open_page: OpenPage, said: Said) -> None:
    page = open_page("collections", collection=NAME)
    page.text_input(key="points-find").set_value("41").run()
    assert address(page, "point") == "41"
    page = open_page("collections", collection=NAME)
    page.text_input(key="points-find").set_value("nobody").run()
    assert "No point nobody" in said(page)


# The model


def test_the_right_model_is_recorded_after_the_vectors_agreed(console: Console, open_page: OpenPage) -> None:
    unstamped(console)
    page = open_page("collections", collection="found")
    page.selectbox(key="stamp-model").set_value("demo-clip").run()
    page.button(key="stamp-check").click().run(timeout=60)
    assert console.store.describe("found").stamp == ModelStamp(
        "demo-clip", console.models.get("demo-clip").fingerprint.digest
    )
    assert "stamp-check" not in {button.key for button in page.button}
    assert console.ledger.journal(limit=1)[0].actor == "tester"


def test_a_wrong_model_is_refused_with_the_reason_and_nothing_is_recorded(
    console: Console, open_page: OpenPage
) -> None:
    unstamped(console)
    page = open_page("collections", collection="found")
    page.selectbox(key="stamp-model").set_value("demo-siglip").run()
    page.button(key="stamp-check").click().run(timeout=60)
    assert console.store.describe("found").stamp is None
    assert "192 numbers" in str(page.error[0].proto)
    assert "stamp-unchecked" not in {button.key for button in page.button}
    page.selectbox(key="stamp-model").set_value("demo-clip").run()
    assert not page.error


def test_models_of_the_same_dimension_come_first(console: Console, open_page: OpenPage) -> None:
    unstamped(console, model="demo-siglip")
    page = open_page("collections", collection="found")
    assert page.selectbox(key="stamp-model").value == "demo-siglip"
    assert page.selectbox(key="stamp-model").options[0] == "Demo SigLIP · 192"


def test_a_word_alone_is_enough_only_where_nothing_can_be_compared_and_the_name_was_typed(
    console: Console, open_page: OpenPage
) -> None:
    console.store.create("found", CollectionSpec(128))
    console.store.upsert("found", [Point(90_000, np.ones(128, np.float32), {})])
    page = open_page("collections", collection="found")
    assert "stamp-unchecked" not in {button.key for button in page.button}
    page.button(key="stamp-check").click().run(timeout=60)
    page.button(key="stamp-unchecked").click().run()
    assert page.button(key="confirm-do").disabled
    page.text_input(key="confirm-typed").set_value("found").run()
    page.button(key="confirm-do").click().run()
    stamp = console.store.describe("found").stamp
    assert stamp is not None
    assert stamp.model == "demo-clip"


def test_a_model_of_another_dimension_than_the_collection_is_a_warning(
    console: Console, open_page: OpenPage, said: Said
) -> None:
    console.store.create("odd", CollectionSpec(4, stamp=ModelStamp("demo-clip", "0123456789ab")))
    page = open_page("collections", collection="odd")
    assert "makes vectors of 128 numbers, but this collection has 4" in said(page)
    assert "No model known here makes vectors of 4 numbers" in said(page)
    assert page.button(key="stamp-check").disabled
    page.selectbox(key="stamp-model").set_value("demo-clip").run()
    assert not page.button(key="stamp-check").disabled
    assert "odd\\: Demo CLIP makes vectors of 128 numbers" in said(open_page("collections"))


def test_points_of_another_model_on_the_page_are_a_warning(filled: Console, open_page: OpenPage) -> None:
    filled.store.stamp(NAME, ModelStamp("demo-clip", "0123456789ab"))
    page = open_page("collections", collection=NAME)
    assert "28 points of this page come from another model" in page.warning[0].value


# The alias


def test_an_alias_is_introduced_with_a_free_name(console: Console, open_page: OpenPage) -> None:
    fill(console, "products", "demo-clip")
    page = open_page("collections", collection="products")
    assert page.text_input(key="new-alias").value == "products-live"
    page.text_input(key="new-alias").set_value("products").run()
    assert page.button(key="introduce-alias").disabled
    page.text_input(key="new-alias").set_value("shop").run()
    page.button(key="introduce-alias").click().run()
    assert console.store.aliases() == {"shop": "products"}
    assert "introduce-alias" not in {button.key for button in page.button}


def test_a_viewer_sees_everything_and_can_change_nothing(
    console: Console, workspace: Path, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    console.store.create("found", CollectionSpec(128))
    process.stop()
    monkeypatch.setenv("CONSOLE_ROLE", "viewer")
    process.start()
    page = open_page("collections", collection="found")
    assert not page.exception
    assert page.button(key="stamp-check").disabled
    assert page.button(key="introduce-alias").disabled
    assert "viewer" in page.button(key="stamp-check").help


def test_any_collection_is_verified_repaired_and_verified_again_with_two_clicks_and_its_name(
    filled: Console, open_page: OpenPage, said: Said
) -> None:
    (point,) = filled.store.retrieve(NAME, [7], vectors=True)
    filled.store.upsert(NAME, [Point(4711, point.vector, {})])
    filled.store.delete(NAME, [5])
    page = open_page("collections", collection=NAME)
    assert "was not verified yet" in said(page)
    assert "There are few enough pictures that a verification embeds all of them again" in said(page)
    page.button(key="verify").click().run()
    page = _until(page, "Repair 2 differences")
    (found,) = [table.value for table in page.dataframe if "What differs" in table.value]
    assert [(list(kind), key) for kind, key in zip(found["Kind"], found["Picture"], strict=True)] == [
        (["Missing"], "5"),
        (["Extra"], "4711"),
    ]
    page = _pressed(page, "Repair 2 differences")
    assert "is searched now**, as images: what is deleted is not found any more" in said(page)
    assert page.button(key="confirm-do").disabled
    page.text_input(key="confirm-typed").set_value(NAME).run()
    page.button(key="confirm-do").click().run()
    page = _until(page, "Verify again")
    assert "2 of 2 differences repaired. Then it was verified again." in said(page).replace("\\", "")
    assert filled.store.count(NAME) == PICTURES
    assert "green-badge[:material/verified: Passed]" in said(page)


def test_a_verdict_that_counts_no_more_says_so_on_the_page_of_its_collection(
    filled: Console, open_page: OpenPage, said: Said
) -> None:
    page = open_page("collections", collection=NAME)
    page.button(key="verify").click().run()
    page = _until(page, "Verify again")
    assert "Counts until" in said(page)
    (point,) = filled.store.retrieve(NAME, [7], vectors=True)
    filled.store.upsert(NAME, [Point(4711, point.vector, {})])
    page.run()
    assert "Counts until" not in said(page)
    assert "has 49 points, but 48 when it was verified." in said(page)


def _pressed(page: AppTest, label: str) -> AppTest:
    (button,) = [button for button in page.button if button.label == label]
    return button.click().run()


def _until(page: AppTest, label: str) -> AppTest:
    """Look again, as the page does by itself, until there is a button of this label."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        page.run()
        if label in [button.label for button in page.button]:
            return page
        time.sleep(0.1)
    raise AssertionError(f"no button {label} after a minute: {[button.label for button in page.button]}")

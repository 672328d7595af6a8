"""A second named vector in the wizard: offered where a collection has a named one, and never preselected."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from console_core import settings
from console_core.console import Console, open_console
from console_core.vectorstore.types import CollectionSpec
from console_core.web import process
from tests.conftest import PICTURES, fill, make_workspace

OpenPage = Callable[..., AppTest]
Said = Callable[[AppTest], str]


@pytest.fixture(name="shop")
def _shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
    """The collection `shop` has one named vector, and is searched by its own name."""
    workspace = make_workspace(tmp_path / "workspace")
    console = open_console(settings.read(workspace, {}), owner_name="a test")
    fill(console, "plain", "demo-clip")
    plain = console.store.describe("plain")
    console.store.create("shop", CollectionSpec(plain.dimension, stamp=plain.stamp, vector_name="clip"))
    console.store.upsert("shop", list(console.store.scroll("plain", vectors=True)))
    console.close()
    monkeypatch.setenv("CONSOLE_WORKSPACE", str(workspace))
    monkeypatch.setenv("CONSOLE_ACTOR", "tester")
    process.stop()
    process.start()
    yield process.console()
    process.stop()


def test_a_second_named_vector_is_chosen_by_clicks_and_only_by_them(
    shop: Console, open_page: OpenPage, said: Said
) -> None:
    page = open_page("migrations", view="new", served="shop")
    assert page.text_input(key="alias-name").value == "shop-live"
    assert not page.checkbox(key="named-vector").value
    page.checkbox(key="named-vector").check().run()
    assert page.text_input(key="alias-name-named").value == "shop@searched"
    assert '["_console"]["aliases"]["searched"]' in page.code[0].value
    page.button(key="introduce-alias").click().run()
    assert shop.store.aliases() == {"shop@searched": "shop@clip"}
    assert page.query_params["served"] == "shop@searched"
    page.button(key="model-demo-siglip").click().run()
    assert page.button(key="start").disabled
    assert "leads to a named vector of shop, and to nothing else" in said(page)
    page.button(key="add-named").click().run()
    assert page.query_params["target"] == "shop@demo-siglip"
    assert "prefer it where the application can search another collection" in said(page)
    assert not page.button(key="start").disabled
    assert [info.points for info in shop.store.collections()] == [PICTURES, PICTURES]


def test_a_collection_whose_vector_has_no_name_is_offered_none_beside_it(shop: Console, open_page: OpenPage) -> None:
    page = open_page("migrations", view="new", served="plain")
    assert page.text_input(key="alias-name").value == "plain-live"
    assert [box.key for box in page.checkbox] == []


def test_the_page_of_a_vector_proposes_the_name_that_is_searched(shop: Console, open_page: OpenPage) -> None:
    shop.store.create("shop@third", CollectionSpec(4))
    page = open_page("collections", collection="shop@clip")
    assert page.text_input(key="new-alias").value == "shop@searched"
    page.button(key="introduce-alias").click().run()
    assert shop.store.aliases() == {"shop@searched": "shop@clip"}

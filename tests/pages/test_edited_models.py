"""A model of one's own is edited: what it made would be searched no more, and that is said before it is saved."""

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import console_core.demo
from console_core.commands.searchable import is_another
from console_core.settings import ModelSettings
from console_core.vectorstore.types import CollectionSpec, ModelStamp
from console_core.web import process
from tests.pages.test_connections_page import press, said

OpenPage = Callable[..., AppTest]
DEMO = Path(console_core.demo.__file__).parent / "models" / "demo-clip"
HOUSE = f'\n[models.house]\narchitecture = "local-dir:{DEMO}"\ntitle = "House"\n'


@pytest.fixture(name="page")
def _page(workspace: Path, open_page: OpenPage) -> AppTest:
    """The form of the model "house", which made two collections; one is searched as "photos"."""
    file = workspace / "console.toml"
    file.write_text(file.read_text() + HOUSE)
    process.stop()
    process.start()
    store = process.console().store
    for name in ("shop", "album", "others"):
        made_by = ModelStamp("demo-clip" if name == "others" else "house", "0123456789abcdef")
        store.create(name, CollectionSpec(dimension=128, stamp=made_by))
    store.set_alias("photos", "album", expected=None)
    page = press(open_page("connections"), "edit-models-house")
    assert not page.exception
    return page


@pytest.fixture(autouse=True)
def _stopped() -> Iterator[None]:
    yield
    process.stop()


def models(workspace: Path) -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads((workspace / "console.toml").read_text())["models"]
    return table


def test_the_collections_of_an_edited_model_are_named_and_another_entry_is_what_is_offered(
    page: AppTest, workspace: Path
) -> None:
    page.text_input(key="form-models-house-template").set_value("a photo of {}").run()
    assert "2 collections could be searched no more" in said(page)
    assert "album (searched as photos)" in said(page)
    assert "shop" in said(page)
    assert "others" not in said(page)
    press(page, "form-save")
    assert "Key is missing" in said(page)
    page.text_input(key="form-models-house-another").set_value("house").run()
    press(page, "form-save")
    assert "already" in said(page)
    page.text_input(key="form-models-house-another").set_value("house-2").run()
    press(page, "form-save")
    assert not page.error
    kept = {"architecture": f"local-dir:{DEMO}", "title": "House"}
    assert models(workspace) == {"house": kept, "house-2": {**kept, "template": "a photo of {}"}}
    assert process.console().models.cards.get("house-2").template == "a photo of {}"


def test_another_title_is_saved_without_a_question_and_another_template_with_a_tick(
    page: AppTest, workspace: Path
) -> None:
    page.text_input(key="form-models-house-title").set_value("Our house").run()
    assert "searched no more" not in said(page)
    assert not page.button(key="form-save").disabled
    page.text_input(key="form-models-house-template").set_value("a photo of {}").run()
    page.radio(key="form-models-house-consequence").set_value("Change this one").run()
    assert page.button(key="form-save").disabled
    assert "template" not in models(workspace)["house"]
    page.checkbox(key="form-models-house-sure").check().run()
    press(page, "form-save")
    assert not page.error
    assert models(workspace)["house"]["template"] == "a photo of {}"
    assert list(models(workspace)) == ["house"]


def test_only_what_the_model_made_as_it_is_now_counts_where_that_is_known(page: AppTest) -> None:
    console = process.console()
    digest = console.models.get("house").fingerprint.digest
    console.store.stamp("shop", ModelStamp("house", digest))
    page.text_input(key="form-models-house-template").set_value("a photo of {}").run()
    assert "1 collection could be searched no more" in said(page)
    assert "album" not in said(page)


def test_a_checkpoint_that_only_moved_is_the_same_model(tmp_path: Path) -> None:
    for name, content in (("one", b"weights"), ("two", b"weights"), ("three", b"others")):
        (tmp_path / f"{name}.safetensors").write_bytes(content)
    before = ModelSettings("house", "ViT-B-32", "one.safetensors")
    changed = [
        replace(before, title="Our house"),
        replace(before, weights="two.safetensors"),
        replace(before, weights=str(tmp_path / "two.safetensors")),
        replace(before, weights="three.safetensors"),
        replace(before, weights="gone.safetensors"),
        replace(before, weights="laion2b"),
        replace(before, architecture="ViT-L-14"),
        replace(before, template="a photo of {}"),
    ]
    assert [is_another(before, after, tmp_path) for after in changed] == [False] * 3 + [True] * 5


def test_who_removes_a_model_is_told_what_it_made(page: AppTest) -> None:
    page.button(key="remove-models-house").click().run()
    assert "album (searched as photos), shop" in said(page)

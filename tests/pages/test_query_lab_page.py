"""The Query lab: two models side by side, columns that fail, the address, and what it says where little is there."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from console_core.console import Console
from console_core.vectorstore.types import CollectionSpec, ModelStamp
from console_core.web import process
from tests.conftest import fill, make_workspace

OpenPage = Callable[..., AppTest]
Said = Callable[[AppTest], str]
CLIP, SIGLIP = "images__demo-clip", "images__demo-siglip"


@pytest.fixture(name="both", scope="module")
def _both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """48 pictures behind the alias `images` by demo-clip, and once more by demo-siglip; and three odd collections."""
    workspace = make_workspace(tmp_path_factory.mktemp("lab") / "workspace")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONSOLE_WORKSPACE", str(workspace))
        process.stop()
        process.start()
        console = process.console()
        fill(console, CLIP, "demo-clip", alias="images")
        fill(console, SIGLIP, "demo-siglip")
        for name, stamp in (
            ("strange", ModelStamp("nobody's", "0")),
            ("old", ModelStamp("demo-clip", "0")),
            ("bare", None),
        ):
            console.store.create(name, CollectionSpec(dimension=128, stamp=stamp))
        yield console
        process.stop()


def _columns(page: AppTest, place: int = 0) -> list[dict[str, object]]:
    """What the gallery was given."""
    given: list[dict[str, object]] = json.loads(page.get("bidi_component")[place].proto.json)["columns"]
    return given


@pytest.mark.usefixtures("both")
def test_without_a_query_an_example_is_answered_by_the_live_collection_and_the_other_one(
    open_page: OpenPage, said: Said
) -> None:
    page = open_page("query_lab", columns=CLIP)
    assert not page.exception
    assert not page.error
    assert "An example to begin with" in said(page)
    assert page.pills[0].value == "square 1"


@pytest.mark.usefixtures("both")
def test_what_is_typed_is_asked_and_stands_in_the_address(open_page: OpenPage, said: Said) -> None:
    page = open_page("query_lab", columns=[CLIP, SIGLIP])
    page.text_input(key="lab-query").set_value("a red square").run()
    assert not page.exception
    assert page.query_params["q"] == "a red square"
    assert page.query_params["columns"] == [CLIP, SIGLIP]
    assert "An example" not in said(page)
    first, second = _columns(page)
    assert (first["title"], second["title"]) == ("Demo CLIP", "Demo SigLIP")
    assert len(first["tiles"]) == len(second["tiles"]) == 12

"""Pages go by the catalog of the collection that is looked at, where pictures of its own were ingested into it."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from console_core.catalog.intake import Intake
from console_core.console import Console
from console_core.embedding.registry import ModelCards
from console_core.vectorstore.types import CollectionSpec, ModelStamp

OpenPage = Callable[..., AppTest]
ALBUM = "album"


@pytest.fixture(name="album")
def _album(console: Console) -> Console:
    """A collection of demo-clip's whose pictures were ingested, in two folders, and none is of the catalog."""
    for number, folder in enumerate(("sea", "sea", "hills")):
        place = console.settings.image_roots[0] / "trip" / folder
        place.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (32, 32), (70 * number, 20, 20)).save(place / f"{number}.jpg")
    stamp = ModelStamp("demo-clip", console.models.get("demo-clip").fingerprint.digest)
    console.store.create(ALBUM, CollectionSpec(dimension=128, stamp=stamp))
    console.intakes.add(ALBUM, Intake("summer", "folder", "trip"), beside=False)
    console.store.set_alias("photos", ALBUM, expected=None)
    return console


def _tiles(page: AppTest) -> list[dict[str, Any]]:
    columns = json.loads(page.get("bidi_component")[0].proto.json)["columns"]
    return [tile for column in columns for tile in column["tiles"]]


@pytest.mark.usefixtures("album")
def test_the_wizard_offers_the_facets_of_what_was_ingested_into_the_collection(open_page: OpenPage) -> None:
    page = open_page("migrations", view="new", served="photos", model="demo-siglip")
    page.segmented_control(key="wizard-part").set_value("Only a part").run()
    assert not page.exception
    assert page.multiselect(key="only-namespace").options == ["summer (3)"]
    assert page.multiselect(key="only-folder").options == ["trip/sea (2)", "trip/hills (1)"]


def test_pictures_to_search_by_are_those_of_the_collection(
    album: Console, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    blind = [replace(card, has_text=False) for card in album.models.cards.all()]
    monkeypatch.setattr(album.models, "cards", ModelCards(blind))
    page = open_page("query_lab", columns=ALBUM)
    assert not page.exception
    assert [tile["id"] for tile in _tiles(page)] == [
        "ingest:summer:trip/hills/2.jpg",
        "ingest:summer:trip/sea/0.jpg",
        "ingest:summer:trip/sea/1.jpg",
    ]


def test_examples_are_what_the_pictures_of_the_first_column_are_called(album: Console, open_page: OpenPage) -> None:
    labels = album.settings.workspace / "images" / "labels.csv"
    labels.write_text("trip/sea/0.jpg,a quiet bay\ntrip/hills/2.jpg,three green hills\n")
    album.intakes.add(ALBUM, Intake("summer", "list", "labels.csv"), beside=False)
    page = open_page("query_lab", columns="photos")
    assert not page.exception
    assert page.pills(key="lab-example").options == ["three green hills", "a quiet bay"]

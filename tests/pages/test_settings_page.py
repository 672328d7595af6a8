"""What the console is connected to, and whether it answers."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from console_core import settings
from console_core.catalog.opening import open_images
from console_core.console import Console
from console_core.errors import CatalogUnavailable, ImageUnavailable, LedgerOwned, StoreUnavailable
from console_core.settings import HttpSettings, ImageSettings, S3Settings, Settings, StoreSettings
from console_core.settings.overruling import OVERRULED
from console_core.ui.connections import facts, probes, variables
from console_core.web import process
from tests.picture_server import serving

OpenPage = Callable[..., AppTest]
Said = Callable[[AppTest], str]


def everything(page: AppTest) -> str:
    texts = [table.value.to_dict() for table in page.table]
    elements = [*page.title, *page.markdown, *page.caption, *page.error, *page.success]
    return (str(texts) + "\n".join(str(element.value) for element in elements)).replace("\\", "")


def test_every_connection_is_told(filled: Console, open_page: OpenPage) -> None:
    page = open_page("connections")
    assert not page.exception
    text = everything(page)
    for expected in ("Qdrant, embedded", str(filled.settings.workspace), "ledger.db", "readable", "Folder"):
        assert expected in text
    text_of_settings = everything(open_page("settings"))
    assert "tester" in text_of_settings
    assert "Location" not in text_of_settings
    assert "It keeps at most 20,000 points" in text


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("card", "answer"),
    [
        ("vector-store", "1 collection with 6 points"),
        ("catalog", "6 pictures"),
        ("images", "6 of the first 6 pictures can be read"),
        ("ledger", "this process is its owner"),
        ("device", "Models run on cpu"),
    ],
)
def test_each_connection_can_be_tested(open_page: OpenPage, card: str, answer: str) -> None:
    page = open_page("settings" if card == "device" else "connections")
    page.button(key=f"test-{card}").click().run(timeout=60)
    assert answer in page.success[0].value.replace("\\", "")
    assert not page.error


def test_pictures_that_are_not_where_the_settings_say_are_told_with_a_remedy(
    filled: Console, open_page: OpenPage, workspace: Path
) -> None:
    next(filled.catalog.rows())
    for picture in (workspace / "images").rglob("*.jpg"):
        picture.write_bytes(b"")
    page = open_page("connections")
    page.button(key="test-images").click().run()
    assert page.error[0].value
    assert not page.success


def test_a_catalog_that_cannot_be_read_is_told_in_its_card_and_the_others_stay(
    filled: Console, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone() -> int:
        raise CatalogUnavailable("The database is locked.", "Unlock it.")

    monkeypatch.setattr(filled.catalog, "count", gone)
    page = open_page("connections")
    assert not page.exception
    (error,) = page.error
    assert error.value.startswith("Unlock it")
    assert "Qdrant, embedded" in everything(page)


def test_a_store_that_does_not_answer_is_told_with_its_remedy(
    filled: Console, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent() -> list[object]:
        raise StoreUnavailable("The server does not answer.", "Start it.")

    monkeypatch.setattr(filled.store, "collections", silent)
    page = open_page("connections")
    page.button(key="test-vector-store").click().run()
    assert page.error[0].value == "Start it."


def test_a_process_that_only_looks_says_so(filled: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filled, "owner", None)
    with pytest.raises(LedgerOwned):
        probes.ledger(filled)
    assert facts.ledger(filled)["Owner"] == "another process"


def test_no_secret_is_shown(console: Console, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch) -> None:
    process.stop()
    monkeypatch.setenv("CONSOLE_STORE_API_KEY", "s3cret")
    process.start()
    for name in ("settings", "connections"):
        page = open_page(name)
        assert not page.exception
        assert "s3cret" not in everything(page)


@pytest.mark.parametrize("url", ["postgresql://olga:s3cret@db/books", "postgresql://db/books?password=s3cret"])
def test_the_ledger_s_location_has_neither_a_password_nor_options(
    filled: Console, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setattr(filled.database, "url", url)
    assert "s3cret" not in filled.database.location
    assert "db/books" in filled.database.location


def test_a_server_s_key_is_told_as_set(filled: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    read: Settings = filled.settings
    info = filled.store.info()
    object.__setattr__(read, "store", StoreSettings("http://host:6333", "s3cret"))
    monkeypatch.setattr(filled.store, "info", lambda: type(info)("Qdrant server", "http://host:6333", "1.16"))
    told = facts.store(filled)
    assert "set" in str(told["API key"])
    assert "s3cret" not in str(told)


@pytest.mark.parametrize(
    ("url", "key", "told"),
    [
        ("postgresql://olga:s3cret@db/app", "", ":green-badge[set]"),
        ("postgresql://olga@db/app", "s3cret", ":green-badge[set]"),
        ("postgresql://olga@db/app", "", ":gray-badge[not set]"),
    ],
)
def test_a_postgresql_password_is_told_as_set_wherever_it_stands(
    filled: Console, monkeypatch: pytest.MonkeyPatch, url: str, key: str, told: str
) -> None:
    info = filled.store.info()
    object.__setattr__(filled.settings, "store", StoreSettings(url, key))
    monkeypatch.setattr(filled.store, "info", lambda: type(info)("PostgreSQL with pgvector", "app on db", "18.4"))
    shown = facts.store(filled)
    assert told in str(shown["Password"])
    assert "s3cret" not in str(shown)


def on_servers(console: Console, *roots: str) -> None:
    http = HttpSettings((("Authorization", "s3cret"),))
    s3 = S3Settings("https://s3.example", key="AKIA", secret="s3cret")
    images = ImageSettings((*console.settings.images.roots, *roots), http=http, s3=s3)
    object.__setattr__(console.settings, "images", images)


def test_roots_on_servers_are_told_without_asking_them_and_without_their_secrets(filled: Console) -> None:
    on_servers(filled, "https://host.invalid/p/", "s3://bucket/p/")
    told = str(facts.images(filled))
    for expected in ("readable", "https://host", "on a server", "bucket", "30 s", "32 at once", "https://s3.example"):
        assert expected in told.replace("\\", "")
    assert told.count(":green-badge[set]") == 2
    assert "s3cret" not in told


def test_a_server_of_pictures_that_does_not_answer_is_told_by_the_test(filled: Console) -> None:
    with serving() as gone:
        root = f"{gone.url}/p/"
    on_servers(filled, root)
    object.__setattr__(filled, "images", open_images(filled.settings.images))
    with pytest.raises(ImageUnavailable, match="does not answer") as told:
        probes.images(filled)
    assert root in told.value.message
    filled.images.close()


@pytest.mark.parametrize("kind", ["folder", "file", "nothing"])
def test_the_state_of_an_image_root(tmp_path: Path, kind: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    expected = {"folder": (True, "readable"), "file": (False, "is not a folder"), "nothing": (False, "does not exist")}
    assert probes.root_state(tmp_path / kind) == expected[kind]


def test_every_variable_and_every_line_of_the_file_is_explained() -> None:
    known = variables.known()
    told = {one.variable for one in known}
    assert {word for word in (settings.__doc__ or "").split() if word.startswith("CONSOLE_")} <= told
    assert set(OVERRULED.values()) <= told
    lines = " ".join(one.in_file for one in known)
    for section, names in settings._KNOWN.items():
        for name in names or ("architecture", "weights", "title"):
            assert f"[{section}" in lines
            assert name in lines

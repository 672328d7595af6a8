"""Stores, catalogs, image roots and models are edited in the browser: tested first, saved into the file, in force."""

import re
import sqlite3
import tomllib
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from console_core.console import Console
from console_core.settings.changing import FORMER
from console_core.web import process
from tests.picture_server import serving

OpenPage = Callable[..., AppTest]
PLANTED = "pl4nted-s3cret"
FILE = "console.toml"


def table(workspace: Path) -> dict[str, Any]:
    return tomllib.loads((workspace / FILE).read_text())


def said(page: AppTest) -> str:
    elements = [*page.error, *page.success, *page.warning, *page.info, *page.caption, *page.markdown]
    titles = [getattr(element.proto, "title", "") for element in (*page.error, *page.warning, *page.info)]
    return "\n".join([*(str(element.value) for element in elements), *map(str, titles)]).replace("\\", "")


def press(page: AppTest, key: str) -> AppTest:
    return page.button(key=key).click().run(timeout=60)


@pytest.fixture(name="page")
def _page(console: Console, open_page: OpenPage) -> AppTest:
    page = open_page("connections")
    assert not page.exception
    return page


def write(workspace: Path, text: str) -> None:
    """Before the console is opened."""
    (workspace / FILE).write_text(text)


def test_the_store_s_patience_is_changed_and_holds_without_a_restart(page: AppTest, workspace: Path) -> None:
    before = process.console()
    press(page, "edit-store")
    assert page.text_input(key="form-store--url").value == "local:qdrant"
    page.number_input(key="form-store--timeout").set_value(45).run()
    press(page, "form-save")
    assert not page.error
    assert [toast.value.replace("\\", "") for toast in page.toast] == ["Vector store: saved, and in force."]
    assert process.console() is not before
    assert process.console().settings.store.timeout == 45
    assert table(workspace)["store"] == {"url": "local:qdrant", "timeout": 45}
    assert "timeout" not in (workspace / FORMER).read_text()
    (entry,) = process.console().ledger.journal(subject="store")
    assert (entry.actor, entry.detail) == ("tester", "[store] timeout")
    assert "form-save" not in [button.key for button in page.button], "the drawer is closed"


def test_a_store_is_asked_before_it_is_saved_and_only_a_word_saves_one_that_does_not_answer(
    page: AppTest, workspace: Path
) -> None:
    text = (workspace / FILE).read_text()
    press(page, "edit-store")
    page.text_input(key="form-store--url").set_value("http://127.0.0.1:1").run()
    press(page, "form-save")
    assert "127.0.0.1:1 cannot be reached" in said(page)
    assert (workspace / FILE).read_text() == text
    assert process.console().settings.store.url.startswith("local:")
    press(page, "form-save-anyway")
    assert table(workspace)["store"]["url"] == "http://127.0.0.1:1"
    assert process.console().settings.store.url == "http://127.0.0.1:1"


def test_another_folder_for_the_store_is_said_to_be_new(page: AppTest, workspace: Path) -> None:
    press(page, "edit-store")
    page.text_input(key="form-store--url").set_value("local:other").run()
    press(page, "form-test")
    assert "an empty store will be made" in said(page)
    assert not (workspace / "other").exists()


def test_the_store_that_is_open_is_tested_although_it_is_for_one_process(page: AppTest) -> None:
    press(page, "edit-store")
    press(page, "form-test")
    assert "It answers: 0 collections" in said(page)
    assert page.button(key="form-save").disabled, "nothing is changed"


def test_an_address_of_an_unknown_kind_is_refused_and_nothing_is_changed(page: AppTest, workspace: Path) -> None:
    text = (workspace / FILE).read_text()
    press(page, "edit-store")
    page.text_input(key="form-store--url").set_value("pigeon://loft").run()
    press(page, "form-save")
    assert "is not a store that the console knows" in said(page)
    press(page, "form-save-anyway")
    assert "is not a store that the console knows" in said(page)
    assert (workspace / FILE).read_text() == text
    assert process.problem() is None


def test_a_catalog_is_chosen_seen_and_used(page: AppTest, workspace: Path) -> None:
    (workspace / "list.txt").write_text("images/anna/1.jpg,a label\nimages/ben/0.jpg,another\n")
    press(page, "edit-catalog")
    assert page.selectbox(key="form-catalog--kind").value == "folder"
    page.selectbox(key="form-catalog--kind").set_value("list").run()
    page.text_input(key="form-catalog--location").set_value("list.txt").run()
    press(page, "form-test")
    assert "2 pictures" in said(page)
    assert "a label" in str(page.dataframe[0].value.to_dict())
    press(page, "form-save")
    assert table(workspace)["catalog"] == {"kind": "list", "location": "list.txt"}
    assert process.console().catalog.count() == 2


def test_what_is_asked_of_a_database_is_asked_of_no_folder(page: AppTest) -> None:
    press(page, "edit-catalog")
    assert "form-catalog--table" not in [field.key for field in page.text_input]
    assert page.toggle(key="form-catalog--recursive").value is True
    page.selectbox(key="form-catalog--kind").set_value("sql").run()
    assert page.multiselect(key="form-catalog--key").value == ["id"]
    press(page, "form-save")
    assert "names no table" in said(page)


def test_a_database_is_looked_at_and_what_its_columns_probably_mean_is_taken_over(
    page: AppTest, workspace: Path
) -> None:
    with closing(sqlite3.connect(workspace / "app.db")) as application, application:
        application.execute("CREATE TABLE users (id INTEGER PRIMARY KEY)")
        application.execute(
            "CREATE TABLE photos (photo_id INTEGER PRIMARY KEY, user TEXT, file_path TEXT, updated_at TIMESTAMP)"
        )
        application.execute("INSERT INTO photos VALUES (7, 'anna', 'anna/1.jpg', '2026-01-01 00:00:00')")
    press(page, "edit-catalog")
    page.selectbox(key="form-catalog--kind").set_value("sql").run()
    page.text_input(key="form-catalog--location").set_value("sqlite:///app.db").run()
    press(page, "form-look")
    tables = page.selectbox(key="form-catalog--table")
    assert tables.options == ["None", "photos", "users"]
    tables.set_value("photos").run()
    press(page, "form-look")
    assert "anna/1.jpg" in str(page.dataframe[0].value.to_dict())
    page.multiselect(key="form-catalog--payload").set_value(["user"]).run()
    press(page, "form-take-over")
    assert page.multiselect(key="form-catalog--key").value == ["photo_id"]
    press(page, "form-save")
    assert not page.error
    assert table(workspace)["catalog"] == {
        "location": "sqlite:///app.db",
        "kind": "sql",
        "table": "photos",
        "key": "photo_id",
        "paths": ["file_path"],
        "payload": ["user"],
        "tenant": "user",
        "updated_at": "updated_at",
    }
    assert next(iter(process.console().catalog.rows())).candidates == ("anna/1.jpg",)


def test_a_csv_file_with_a_key_of_two_columns_is_chosen(page: AppTest, workspace: Path) -> None:
    (workspace / "list.csv").write_text("album,number,path\na,1,anna/1.jpg\na,2,ben/0.jpg\n")
    press(page, "edit-catalog")
    page.selectbox(key="form-catalog--kind").set_value("table").run()
    page.text_input(key="form-catalog--location").set_value("list.csv").run()
    press(page, "form-look")
    page.multiselect(key="form-catalog--key").set_value(["album", "number"]).run()
    page.multiselect(key="form-catalog--paths").set_value(["path"]).run()
    press(page, "form-save")
    assert not page.error
    assert table(workspace)["catalog"]["key"] == ["album", "number"]
    assert process.console().catalog.count() == 2


def test_an_image_root_is_added_tested_and_saved_and_another_removed(page: AppTest, workspace: Path) -> None:
    (workspace / "more").mkdir()
    press(page, "edit-images")
    page.text_area(key="form-images--root").set_value("images\nmore\nnowhere").run()
    press(page, "form-test")
    assert "nowhere does not exist" in said(page)
    page.text_area(key="form-images--root").set_value("images\nmore\n").run()
    press(page, "form-save")
    assert not page.error
    assert table(workspace)["images"] == {"also": ["more"]}
    assert workspace / "more" in process.console().settings.image_roots
    press(page, "edit-images")
    page.text_area(key="form-images--root").set_value("images").run()
    press(page, "form-save")
    assert table(workspace).get("images", {}) == {}


def test_a_server_of_pictures_is_added_with_a_header_that_names_a_variable(
    page: AppTest, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PICTURES_TOKEN", PLANTED)
    press(page, "edit-images")
    assert "form-images--http.headers" not in [area.key for area in page.text_area]
    with serving() as server:
        page.text_area(key="form-images--root").set_value(f"images\n{server.url}/").run()
        headers = page.text_area(key="form-images--http.headers")
        headers.set_value(f"Authorization: Bearer {PLANTED}").run()
        press(page, "form-save")
        assert "need a name and a reference" in said(page)
        assert PLANTED not in said(page)
        page.text_area(key="form-images--http.headers").set_value("Authorization: Bearer ${PICTURES_TOKEN}").run()
        press(page, "form-save")
    assert not page.error, said(page)
    told = table(workspace)["images"]
    assert told["http"]["headers"] == {"Authorization": "Bearer ${PICTURES_TOKEN}"}
    assert process.console().settings.images.http.headers == (("Authorization", f"Bearer {PLANTED}"),)


@pytest.mark.usefixtures("workspace")
def test_a_header_that_is_written_in_the_file_is_hidden_and_stays(open_page: OpenPage, workspace: Path) -> None:
    write(
        workspace,
        '[catalog]\nlocation = "images"\n[images]\nroot = "images"\nalso = ["http://127.0.0.1:9/"]\n'
        f'[images.http]\nheaders = {{ Authorization = "Bearer {PLANTED}", X-Which = "${{WHICH}}" }}\n',
    )
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("WHICH", "this")
        process.stop()
        process.start()
        page = press(open_page("connections"), "edit-images")
        headers = page.text_area(key="form-images--http.headers")
        assert headers.value == "Authorization: •••\nX-Which: ${WHICH}"
        headers.set_value("Authorization: •••").run()
        press(page, "form-save")
        press(page, "form-save-anyway")
        assert table(workspace)["images"]["http"]["headers"] == {"Authorization": f"Bearer {PLANTED}"}
        assert PLANTED not in "\n".join(str(getattr(node, "proto", "")) for node in page._tree)
        process.stop()


def test_the_keys_of_object_storage_are_named_by_their_variables(
    page: AppTest, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORAGE_KEY", "an-id")
    monkeypatch.setenv("STORAGE_SECRET", PLANTED)
    press(page, "edit-s3")
    page.text_input(key="form-s3--endpoint_url").set_value("http://127.0.0.1:9/storage").run()
    page.text_input(key="form-s3--key").set_value("STORAGE_KEY").run()
    press(page, "form-save")
    assert "only one of key and secret" in said(page)
    page.text_input(key="form-s3--secret").set_value("STORAGE_SECRET").run()
    press(page, "form-save")
    assert not page.error
    named = {"key": "${STORAGE_KEY}", "secret": "${STORAGE_SECRET}"}
    assert table(workspace)["images"] == {"s3": {"endpoint_url": "http://127.0.0.1:9/storage", **named}}
    assert process.console().settings.images.s3.secret == PLANTED
    assert PLANTED not in "\n".join(str(getattr(node, "proto", "")) for node in page._tree)


def test_a_model_of_one_s_own_is_added_edited_and_removed(page: AppTest, workspace: Path) -> None:
    press(page, "edit-models")
    page.text_input(key="form-models--architecture-").set_value("ViT-B-99").run()
    press(page, "form-save")
    assert "Key is missing" in said(page)
    page.text_input(key="form-models-entry").set_value("demo-clip").run()
    press(page, "form-save")
    assert "the name of another model already" in said(page)
    page.text_input(key="form-models-entry").set_value("house").run()
    press(page, "form-save")
    assert "Did you mean" in said(page)
    page.text_input(key="form-models--architecture-").set_value("ViT-B-32").run()
    page.text_input(key="form-models--title").set_value("Our own").run()
    press(page, "form-save")
    assert "No weights are named" in said(page)
    (workspace / "house.safetensors").touch()
    page.text_input(key="form-models--weights").set_value("house.safetensors").run()
    press(page, "form-save")
    kept = {"architecture": "ViT-B-32", "weights": "house.safetensors", "title": "Our own"}
    assert table(workspace)["models"] == {"house": kept}
    assert process.console().models.cards.get("house").title == "Our own"
    press(page, "edit-models-house")
    page.selectbox(key="form-models-house-architecture-kind").set_value("local-dir:").run()
    page.text_input(key="form-models-house-architecture-local-dir:").set_value("models/mine").run()
    press(page, "form-test")
    assert "models/mine" in said(page)
    page.button(key="remove-models-house").click().run()
    press(page, "confirm-do")
    assert "models" not in table(workspace)
    assert "house" not in [card.key for card in process.console().models.cards.all()]


def test_a_table_of_the_application_is_added_tested_and_removed(open_page: OpenPage, workspace: Path) -> None:
    with closing(sqlite3.connect(workspace / "app.db")) as application, application:
        application.execute("CREATE TABLE photos (id INTEGER PRIMARY KEY, embedding BLOB, title TEXT)")
        application.execute("INSERT INTO photos VALUES (1, ?, 'one')", [np.ones(4, np.float32).tobytes()])
    write(workspace, '[catalog]\nlocation = "images"\n\n[store]\nurl = "sqlite:///app.db"  # theirs\n')
    process.stop()
    process.start()
    page = press(open_page("connections"), "edit-tables")
    page.text_input(key="form-tables-entry").set_value("photos").run()
    page.text_input(key="form-tables--table").set_value("pictures").run()
    press(page, "form-save")
    assert page.error
    assert "tables" not in table(workspace)["store"]
    page.text_input(key="form-tables--table").set_value("photos").run()
    press(page, "form-test")
    assert "It can be read: 1 column of vectors" in said(page)
    assert "photos.embedding" in str(page.dataframe[0].value.to_dict())
    press(page, "form-save")
    assert table(workspace)["store"] == {"url": "sqlite:///app.db", "tables": {"photos": {"table": "photos"}}}
    assert any(info.name.startswith("photos.embedding") for info in process.console().store.collections())
    press(page, "remove-tables-photos")
    press(page, "confirm-do")
    assert table(workspace)["store"].get("tables", {}) == {}
    assert "# theirs" in (workspace / FILE).read_text()
    process.stop()


@pytest.mark.usefixtures("console")
def test_what_fails_because_the_workspace_was_opened_anew_meanwhile_is_drawn_again() -> None:
    def script() -> None:
        import streamlit as st

        from console_core.ui import frame
        from console_core.web import process

        with frame.guarded("here"):
            if "drawn" not in st.session_state:
                st.session_state["drawn"] = 1
                process.reopen(lambda: None)
                raise RuntimeError("It is closed.")
            st.text("Drawn again")

    page = AppTest.from_function(script, default_timeout=30).run()
    assert not page.error
    assert [text.value for text in page.text] == ["Drawn again"]


@pytest.mark.usefixtures("workspace")
def test_a_variable_that_wins_makes_the_form_read_only_and_says_which_and_why(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSOLE_STORE_URL", "local:elsewhere")
    process.stop()
    process.start()
    page = press(open_page("connections"), "edit-store")
    assert "CONSOLE_STORE_URL is set" in said(page)
    assert not page.text_input
    assert "form-save" not in [button.key for button in page.button]
    process.stop()


def test_a_key_in_the_environment_leaves_the_rest_of_the_form_to_be_edited(
    open_page: OpenPage, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSOLE_STORE_API_KEY", PLANTED)
    process.stop()
    process.start()
    page = press(open_page("connections"), "edit-store")
    assert page.text_input(key="form-store--api_key").disabled
    page.number_input(key="form-store--retries").set_value(1).run()
    press(page, "form-save")
    assert table(workspace)["store"]["retries"] == 1
    assert PLANTED not in (workspace / FILE).read_text()
    process.stop()


def test_a_file_that_was_changed_meanwhile_is_not_overwritten(page: AppTest, workspace: Path) -> None:
    press(page, "edit-store")
    with (workspace / FILE).open("a") as file:
        file.write("timeout = 9  # by hand\n")
    page.number_input(key="form-store--retries").set_value(1).run()
    assert "was changed meanwhile" in said(page)
    assert "form-save" not in [button.key for button in page.button]


def test_who_may_only_look_can_open_no_form_and_one_that_is_open_says_why(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    press(page, "edit-store")
    console = process.console()
    monkeypatch.setattr(console, "settings", replace(console.settings, role="operator"))
    page.run()
    assert "needs the role admin" in said(page)
    assert "form-save" not in [button.key for button in page.button]
    assert all(page.button(key=f"edit-{form}").disabled for form in ("store", "catalog", "images", "models"))


def test_a_process_that_only_looks_edits_nothing(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process.console(), "owner", None)
    page.run()
    button = page.button(key="edit-store")
    assert button.disabled
    assert "only looks" in button.help


TOKEN = "0123456789abcdef" + PLANTED


def test_the_search_api_is_turned_on_by_naming_a_variable_and_off_again_and_nobody_sees_the_token(
    page: AppTest, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert told(page, "Search API") == {"State": ":gray-badge[off]", "Token": "not set"}
    monkeypatch.setenv("SEARCH_TOKEN", TOKEN)
    press(page, "edit-api")
    page.text_input(key="form-api--token").set_value("NOT_THERE").run()
    press(page, "form-save")
    assert "no environment variable of this name is set" in said(page)
    page.text_input(key="form-api--token").set_value("SEARCH_TOKEN").run()
    press(page, "form-save")
    assert not page.error
    assert table(workspace)["api"] == {"token": "${SEARCH_TOKEN}"}
    assert process.console().settings.api_token == TOKEN
    assert told(page, "Search API") == {"State": ":green-badge[on]", "Token": "from SEARCH_TOKEN"}
    press(page, "edit-api")
    page.toggle(key="form-api--enabled").set_value(False).run()
    press(page, "form-test")
    assert "It is off" in said(page)
    press(page, "form-save")
    assert process.console().settings.api_token == ""
    assert told(page, "Search API") == {"State": ":gray-badge[off]", "Token": "from SEARCH_TOKEN"}
    assert PLANTED not in "".join(str(getattr(node, "proto", "")) for node in page._tree)


def test_a_token_that_could_be_guessed_is_refused_and_one_of_the_environment_is_told_by_its_name(
    page: AppTest, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (workspace / FILE).read_text()
    monkeypatch.setenv("SEARCH_TOKEN", "short")
    press(page, "edit-api")
    page.text_input(key="form-api--token").set_value("SEARCH_TOKEN").run()
    press(page, "form-save")
    assert "shorter than 16 characters" in said(page)
    assert (workspace / FILE).read_text() == text
    monkeypatch.setenv("CONSOLE_API_TOKEN", TOKEN)
    page.run()
    assert page.text_input(key="form-api--token").disabled
    assert not page.toggle(key="form-api--enabled").disabled
    assert told(page, "Search API")["Token"] == "from CONSOLE_API_TOKEN"


def test_how_programs_ask_is_read_on_the_page(page: AppTest) -> None:
    page.session_state["search-api"] = True
    page.run()
    assert not page.exception
    assert "What can be asked" in said(page)
    assert "page: `docs/parallel-collection.md`." in said(page)
    assert not re.findall(r"\]\((?!https?:)", said(page)), "the console serves none of the other documents"


def test_the_card_names_every_address_that_programs_can_ask(page: AppTest) -> None:
    (facts,) = (one.value["value"] for one in page.table if one.proto.alt == "Search API")
    for address in ("POST /api/v1/search", "GET /api/v1/route", "GET /api/v1/collections"):
        assert address in str(facts["Addresses"]).replace("\\", "")


def told(page: AppTest, of: str) -> dict[str, str]:
    """The state of a card, and where its token comes from."""
    (facts,) = (one.value["value"] for one in page.table if one.proto.alt == of)
    return {name: str(facts[name]).replace("\\", "") for name in ("State", "Token")}

"""The search API as a program meets it: what it answers, what it refuses with which status, and who may ask."""

import base64
import io
import itertools
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from console_core.vectorstore.types import CollectionSpec, ModelStamp
from console_core.web import asked, process
from console_core.web.guard import MIDDLEWARE
from console_core.web.lifespan import lifespan
from console_core.web.routes import ROUTES
from tests.conftest import PICTURES, fill, make_workspace

TOKEN = "0123456789abcdef-of-the-test"
BEARER = {"authorization": f"Bearer {TOKEN}"}
NAME = "images__demo-clip"


@pytest.fixture(scope="module", name="workspace")
def _workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_workspace(tmp_path_factory.mktemp("api") / "workspace")


@pytest.fixture(scope="module", name="client")
def _client(workspace: Path) -> Iterator[TestClient]:
    """A console with a token; the alias `images` serves a collection made by demo-clip."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("CONSOLE_WORKSPACE", str(workspace))
        patched.setenv("CONSOLE_API_TOKEN", TOKEN)
        process.stop()
        app = Starlette(routes=ROUTES, middleware=MIDDLEWARE, lifespan=lifespan(lambda: None))
        with TestClient(app, base_url="http://127.0.0.1:8501") as client:
            console = process.console()
            fill(console, NAME, "demo-clip", alias="images")
            console.store.create("unstamped", CollectionSpec(128))
            stamp = console.store.describe(NAME).stamp
            console.store.create("odd", CollectionSpec(8, stamp=stamp))
            console.store.create("changed", CollectionSpec(128, stamp=ModelStamp("demo-clip", "0" * 16)))
            yield client
        process.stop()


def jpeg(workspace: Path, number: int = 7) -> bytes:
    return (workspace / "images" / f"{number:04}.jpg").read_bytes()


def search(client: TestClient, **body: Any) -> Any:
    return client.post("/api/v1/search", json=body, headers=BEARER)


def test_a_text_is_answered_by_the_collection_that_the_alias_leads_to(client: TestClient) -> None:
    answer = search(client, text="a blue square", limit=3, collection="images")
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["model"], found["collection"], found["alias"]) == ("demo-clip", NAME, "images")
    assert found["fingerprint"] == process.console().models.get("demo-clip").fingerprint.digest
    assert found["took_ms"] > 0
    assert len(found["results"]) == 3
    first = found["results"][0]
    assert set(first) == {"id", "score", "payload"}
    assert set(first["payload"]) == {"user_id", "caption"}, "without what the console added"


def test_without_a_name_the_only_alias_is_asked(client: TestClient) -> None:
    assert search(client, text="a square").json()["collection"] == NAME
    assert search(client, text="a square", collection=NAME).json()["alias"] is None


def test_a_picture_finds_itself_in_base64_and_as_a_file(client: TestClient, workspace: Path) -> None:
    data = jpeg(workspace)
    by_json = search(client, image=base64.b64encode(data).decode(), limit=1).json()
    form = {"limit": "1", "where": json.dumps({"user_id": "user-1"})}
    by_form = client.post("/api/v1/search", files={"image": ("7.jpg", data)}, data=form, headers=BEARER).json()
    assert [found["results"][0]["id"] for found in (by_json, by_form)] == [7, 7]
    assert by_json["results"][0]["score"] > 0.999


def test_only_points_with_the_payload_that_was_asked_for_answer(client: TestClient) -> None:
    found = search(client, text="a square", limit=PICTURES, where={"user_id": ["user-1", "user-2"]}).json()
    assert {one["payload"]["user_id"] for one in found["results"]} == {"user-1", "user-2"}
    assert search(client, text="a square", namespace="nobody").json()["results"] == []


def test_collections_are_listed_with_models_points_and_aliases(client: TestClient) -> None:
    listed = client.get("/api/v1/collections", headers=BEARER).json()["collections"]
    (one,) = [found for found in listed if found["name"] == NAME]
    assert (one["model"], one["points"], one["aliases"], one["dimension"]) == ("demo-clip", PICTURES, ["images"], 128)


def big() -> str:
    target = io.BytesIO()
    Image.new("1", (9000, 9000)).save(target, "PNG")
    return base64.b64encode(target.getvalue()).decode()


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({}, 400, "not exactly one thing"),
        ({"text": "a", "image": "QQ=="}, 400, "not exactly one thing"),
        ({"text": " "}, 400, "not exactly one thing"),
        ({"text": 5}, 400, "not exactly one thing"),
        ({"text": "x" * 2001}, 400, "2,001 characters"),
        ({"text": "a", "limit": 0}, 400, "0 is not a number"),
        ({"text": "a", "limit": 1001}, 400, "1001 is not"),
        ({"text": "a", "limit": "ten"}, 400, "limit"),
        ({"text": "a", "limit": True}, 400, "limit"),
        ({"text": "a", "image_path": "/etc/passwd"}, 400, "image_path is not understood"),
        ({"text": "a", "where": [1]}, 400, "where is no object"),
        ({"text": "a", "where": {"a": {"b": 1}}}, 400, "where has a value"),
        ({"text": "a", "where": {"a": 2**63}}, 400, "where has a value"),
        ({"text": "a", "where": {"a": list(range(1001))}}, 400, "1,001 values"),
        ({"text": "a", "where": {'a"b': "x"}}, 400, 'a"b'),
        ({"text": "a", "where": {"": "x"}}, 400, "no name"),
        ({"text": "a", "namespace": 5}, 400, "namespace"),
        ({"image": "not base64!"}, 400, "not base64"),
        ({"image": base64.b64encode(b"<html>").decode()}, 422, "looks like an HTML page"),
        ({"image": base64.b64encode(b"\xff\xd8\xff\xe0cut").decode()}, 422, "The picture"),
        ({"image": big()}, 413, "megapixels"),
        ({"text": "a", "collection": "vanished"}, 404, "vanished"),
        ({"text": "a", "collection": "unstamped"}, 409, "which model made"),
        ({"text": "a", "collection": "changed"}, 409, "fingerprint"),
        ({"text": "a", "collection": "odd"}, 409, "odd"),
    ],
)
def test_what_cannot_be_answered_says_what_is_wrong_and_what_to_do(
    client: TestClient, body: dict[str, Any], status: int, said: str
) -> None:
    answer = search(client, **body)
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert said in error["message"]
    assert error["remedy"]
    assert "catalog" not in error["remedy"]


@pytest.mark.parametrize(
    ("content", "kind", "said"),
    [
        (b"{", "application/json", "not JSON"),
        (b"[]", "application/json", "no object"),
        (b"[" * 100_000, "application/json", "not JSON"),
        (b"\xff", "application/json", "not JSON"),
        (b"text=a", "application/x-www-form-urlencoded", "content type"),
        (b"text", "", "content type"),
        (b"no parts", "multipart/form-data; boundary=x", "form cannot be read"),
        (b"--x--", "multipart/form-data; boundary=x", "thing to search for"),
        (b"x", "multipart/form-data", "form cannot be read"),
    ],
)
def test_a_body_that_is_not_understood_is_refused(client: TestClient, content: bytes, kind: str, said: str) -> None:
    headers = {**BEARER, "content-type": kind} if kind else BEARER
    answer = client.post("/api/v1/search", content=content, headers=headers)
    assert answer.status_code == 400
    assert said in answer.json()["error"]["message"]


@pytest.mark.parametrize("told", [True, False], ids=["with its length", "in pieces"])
def test_a_body_that_is_too_large_is_refused_before_it_is_read(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, told: bool
) -> None:
    monkeypatch.setattr(asked, "MOST_BYTES", 10_000)
    pieces = (b"x" * 1000 for _ in range(50))
    content: Any = b"x" * 50_000 if told else pieces
    headers = {**BEARER, "content-type": "application/json"}
    answer = client.post("/api/v1/search", content=content, headers=headers)
    assert answer.status_code == 413
    file = {"image": ("a.jpg", io.BytesIO(b"x" * 50_000))}
    assert client.post("/api/v1/search", files=file, headers=BEARER).status_code == 413


@pytest.mark.parametrize("given", ["", "Bearer", f"Bearer {TOKEN}x", f"Basic {TOKEN}", "Bearer é", f"bearer{TOKEN}"])
def test_without_the_token_nothing_is_answered(client: TestClient, given: str) -> None:
    headers = {"authorization": given.encode()} if given else {}
    for answer in (
        client.post("/api/v1/search", json={"text": "a"}, headers=headers),  # type: ignore[arg-type]
        client.get("/api/v1/collections", headers=headers),  # type: ignore[arg-type]
    ):
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert TOKEN not in answer.text


def test_another_sites_page_and_another_host_cannot_ask(client: TestClient) -> None:
    asking = {"origin": "https://elsewhere.example", "access-control-request-method": "POST"}
    preflight = client.options("/api/v1/search", headers=asking)
    answer = client.post("/api/v1/search", json={"text": "a"}, headers={**BEARER, **asking})
    assert preflight.status_code == 405
    assert not [name for name in (*preflight.headers, *answer.headers) if name.startswith("access-control")]
    assert "set-cookie" not in answer.headers
    other = client.post("/api/v1/search", json={"text": "a"}, headers={**BEARER, "host": "elsewhere.example"})
    assert other.status_code == 400


def test_a_search_counts_as_one_so_that_polite_runs_yield(client: TestClient) -> None:
    traffic = process.console().traffic
    traffic._quiet_from = float("-inf")
    assert not traffic.busy()
    search(client, text="a square")
    assert traffic.busy()


def test_the_token_is_never_shown(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    search(client, text="a", collection="vanished")
    assert TOKEN not in repr(process.console().settings)
    assert TOKEN not in caplog.text


def test_too_many_at_once_are_asked_to_come_again(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console_core.web.api.MOST_WAITING", 0)
    answer = search(client, text="a")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize("told", [{"text": "a", "collection": "\ud800"}, {"text": "\ud800"}])
def test_half_of_a_character_is_refused_in_words(client: TestClient, told: dict[str, str]) -> None:
    asked = client.post(
        "/api/v1/search",
        content=json.dumps(told).encode(),
        headers={"authorization": f"Bearer {TOKEN}", "content-type": "application/json"},
    )
    assert asked.status_code == 400
    assert "half of a character" in asked.json()["error"]["message"]


def test_a_model_without_text_says_so_and_answers_pictures(
    client: TestClient, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process.console().models.cards, "embeds_text", lambda key: False)
    refused = search(client, text="a square")
    assert refused.status_code == 422
    assert "pictures only" in refused.json()["error"]["message"]
    assert search(client, image=base64.b64encode(jpeg(workspace)).decode()).status_code == 200


def test_a_cut_over_during_a_thousand_searches_gives_no_error_and_every_answer_is_of_one_model(
    client: TestClient,
) -> None:
    store, both = process.console().store, (NAME, "images__demo-siglip")
    fill(process.console(), both[1], "demo-siglip")

    def asked_of(collection: str) -> tuple[str, str, list[Any]]:
        found = search(client, text="a red square", limit=5, collection=collection)
        assert found.status_code == 200, found.text
        answer = found.json()
        return answer["model"], answer["collection"], [one["id"] for one in answer["results"]]

    right = {name: asked_of(name) for name in both}
    assert right[NAME][2] != right[both[1]][2]
    done = threading.Event()

    def move() -> None:
        for at in itertools.cycle((0, 1)):
            if done.wait(0.01) and not at:
                return
            store.set_alias("images", both[1 - at], expected=both[at])

    mover = threading.Thread(target=move)
    mover.start()
    try:
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(asked_of, ["images"] * 1000))
    finally:
        done.set()
        mover.join()
    assert {answer[1] for answer in answers} == set(both)
    assert all(answer == right[answer[1]] for answer in answers)


# Consoles of their own


def served(workspace: Path, monkeypatch: pytest.MonkeyPatch, token: str) -> TestClient:
    monkeypatch.setenv("CONSOLE_WORKSPACE", str(workspace))
    monkeypatch.setenv("CONSOLE_API_TOKEN", token)
    process.stop()
    return TestClient(
        Starlette(routes=ROUTES, middleware=MIDDLEWARE, lifespan=lifespan(lambda: None)),
        base_url="http://127.0.0.1:8501",
    )


def test_without_a_token_in_the_settings_the_routes_say_how_to_turn_them_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(make_workspace(tmp_path / "workspace", 2), monkeypatch, "") as client:
        process.console()
        for answer in (search(client, text="a"), client.get("/api/v1/collections", headers=BEARER)):
            assert answer.status_code == 403
            assert "CONSOLE_API_TOKEN" in answer.json()["error"]["remedy"]
    process.stop()


def test_a_store_that_is_down_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = make_workspace(tmp_path / "workspace", 2)
    monkeypatch.setenv("CONSOLE_STORE_URL", "http://127.0.0.1:9")
    file = workspace / "console.toml"
    file.write_text(file.read_text().replace("[store]", "[store]\nretries = 0"))
    with served(workspace, monkeypatch, TOKEN) as client:
        process.console()
        for answer in (search(client, text="a"), client.get("/api/v1/collections", headers=BEARER)):
            assert answer.status_code == 503
            assert answer.json()["error"]["remedy"]
    process.stop()

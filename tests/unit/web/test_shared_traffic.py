"""A share of the traffic over HTTP: a key decides which collection answers, whole, and the same one each time."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from console_core.console import Console
from console_core.database import now
from console_core.embedding.registry import ModelCards
from console_core.rollout.share import Share
from console_core.rollout.sharing_out import pictures_only
from console_core.vectorstore.types import CollectionSpec, ModelStamp
from console_core.web import process, routed
from console_core.web.guard import MIDDLEWARE
from console_core.web.lifespan import lifespan
from console_core.web.metrics import exposition
from console_core.web.routes import ROUTES
from tests.conftest import fill, make_workspace

TOKEN = "0123456789abcdef-of-the-test"
BEARER = {"authorization": f"Bearer {TOKEN}"}
OLD, NEW = "images__demo-clip", "images__demo-siglip"
KEYS = [f"user-{number}" for number in range(30)]


@pytest.fixture(scope="module", name="template")
def _template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A console with a token; the alias `images` serves OLD, and NEW is there too."""
    workspace = make_workspace(tmp_path_factory.mktemp("shared") / "workspace", 12)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("CONSOLE_WORKSPACE", str(workspace))
        patched.setenv("CONSOLE_API_TOKEN", TOKEN)
        process.stop()
        app = Starlette(routes=ROUTES, middleware=MIDDLEWARE, lifespan=lifespan(lambda: None))
        with TestClient(app, base_url="http://127.0.0.1:8501") as client:
            fill(process.console(), OLD, "demo-clip", alias="images")
            fill(process.console(), NEW, "demo-siglip")
            yield client
        process.stop()


@pytest.fixture(name="client")
def _client(template: TestClient) -> Iterator[TestClient]:
    routed._answered.clear()
    yield template
    share(0)


def share(percent: int, candidate: str = NEW) -> None:
    console = process.console()
    stamp = console.store.describe(candidate).stamp
    assert stamp is not None
    given = Share(now(), "olga", "images", OLD, candidate, stamp.fingerprint, percent * 100)
    assert console.shares.add(given, instead_of=console.shares.newest("images"))


def search(client: TestClient, **body: Any) -> Any:
    answer = client.post("/api/v1/search", json={"text": "a red square", "limit": 5, **body}, headers=BEARER)
    assert answer.status_code == 200, answer.text
    return answer.json()


def route(client: TestClient, **asked: str) -> Any:
    return client.get("/api/v1/route", params=asked, headers=BEARER)


def whole(answer: Any) -> tuple[str, str, list[Any]]:
    return answer["model"], answer["collection"], [one["id"] for one in answer["results"]]


def series(console: Console, name: str) -> dict[str, str]:
    lines = [line.rsplit(" ", 1) for line in exposition(console).splitlines() if line.startswith(f"{name}{{")]
    return {labels.removeprefix(name): value for labels, value in lines}


def test_a_key_leads_to_the_same_collection_each_time_by_search_and_by_route(client: TestClient) -> None:
    right = {name: whole(search(client, collection=name)) for name in (OLD, NEW)}
    assert right[OLD][2] != right[NEW][2]
    share(50)
    ways = {key: route(client, alias="images", key=key).json() for key in KEYS}
    assert {way["collection"] for way in ways.values()} == {OLD, NEW}
    for key, way in ways.items():
        assert way["collection"] == (NEW if way["bucket"] < 5000 else OLD)
        answer = search(client, key=key)
        assert whole(answer) == right[way["collection"]]
        for field in ("model", "fingerprint", "collection", "bucket", "share"):
            assert answer[field] == way[field], field
        assert way["share"] == 50
    picture = (process.console().settings.image_roots[0] / "0007.jpg").read_bytes()
    for key in KEYS[:6]:
        by_form = client.post("/api/v1/search", files={"image": picture}, data={"key": key}, headers=BEARER).json()
        assert (by_form["collection"], by_form["results"][0]["id"]) == (ways[key]["collection"], 7)


def test_whoever_does_not_say_who_they_are_or_names_a_collection_gets_no_share(client: TestClient) -> None:
    share(100)
    answer = search(client, collection="images")
    assert answer["collection"] == OLD
    assert "bucket" not in answer
    itself = search(client, collection=OLD, key="user-1")
    assert (itself["collection"], itself["bucket"], itself["share"]) == (OLD, None, 0)
    assert search(client, key="user-1")["collection"] == NEW, "the only alias is meant"
    assert route(client, key="user-1").json()["collection"] == NEW


def test_searches_and_routes_are_counted_by_the_collection_that_answered(client: TestClient) -> None:
    share(100)
    search(client)
    search(client, key="user-1")
    search(client, key="user-2")
    search(client, collection=OLD)
    route(client, key="user-1")
    console = process.console()
    assert series(console, "console_searches_total") == {
        f'{{alias="images",collection="{OLD}",keyed="no"}}': "1",
        f'{{alias="images",collection="{NEW}",keyed="yes"}}': "2",
        f'{{alias="",collection="{OLD}",keyed="no"}}': "1",
    }
    assert series(console, "console_routes_total") == {f'{{alias="images",collection="{NEW}",keyed="yes"}}': "1"}
    assert series(console, "console_share_percent") == {f'{{alias="images",collection="{NEW}"}}': "100"}
    share(0)
    assert series(console, "console_share_percent") == {}


def test_while_a_share_goes_up_and_down_every_answer_is_of_one_collection_and_the_first_people_stay(
    client: TestClient,
) -> None:
    right = {name: whole(search(client, collection=name)) for name in (OLD, NEW)}
    share(20)
    first = [key for key in KEYS if route(client, key=key).json()["collection"] == NEW]
    assert first
    done = threading.Event()

    def raise_and_lower() -> None:
        while not done.wait(0.01):
            for percent in (100, 20):
                share(percent)

    changing = threading.Thread(target=raise_and_lower)
    changing.start()
    try:
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda key: (key, search(client, key=key)), KEYS * 3))
    finally:
        done.set()
        changing.join()
    assert {answer["collection"] for _, answer in answers} == {OLD, NEW}
    assert all(whole(answer) == right[answer["collection"]] for _, answer in answers)
    assert {answer["collection"] for key, answer in answers if key in first} == {NEW}


def test_a_candidate_that_is_gone_or_of_another_model_answers_nobody_and_costs_no_search(client: TestClient) -> None:
    console = process.console()
    fill(console, "passing", "demo-siglip")
    share(100, "passing")
    assert search(client, key="user-1")["collection"] == "passing"
    stamp = console.store.describe(NEW).stamp
    other = console.store.describe(OLD).stamp
    assert stamp is not None
    assert other is not None
    console.store.stamp("passing", type(stamp)("demo-siglip", other.fingerprint))
    assert route(client, key="user-1").json()["collection"] == OLD
    console.store.drop("passing")
    answer = search(client, key="user-1")
    assert (answer["collection"], answer["share"]) == (OLD, 0)
    found = route(client, key="user-1").json()
    assert (found["collection"], found["model"], found["share"]) == (OLD, "demo-clip", 0)


def test_a_candidate_that_was_replaced_by_a_collection_that_cannot_be_asked_costs_no_search(client: TestClient) -> None:
    store = process.console().store
    for others in (CollectionSpec(8), CollectionSpec(8, stamp=ModelStamp("gone", "f00d"))):
        store.create("passing", CollectionSpec(192, stamp=store.describe(NEW).stamp))
        share(100, "passing")
        store.drop("passing")
        store.create("passing", others)
        answer = search(client, key="user-1")
        assert (answer["collection"], answer["share"], len(answer["results"])) == (OLD, 0, 5)
        store.drop("passing")


@pytest.mark.parametrize("stamp", [ModelStamp("demo-siglip", "0" * 16), ModelStamp("gone", "f00d")])
def test_a_candidate_whose_model_was_edited_or_cannot_be_loaded_costs_no_search(
    client: TestClient, stamp: ModelStamp
) -> None:
    store = process.console().store
    store.create("passing", CollectionSpec(192, stamp=stamp))
    try:
        share(100, "passing")
        answer = search(client, key="user-1")
        assert (answer["collection"], answer["share"], len(answer["results"])) == (OLD, 0, 5)
    finally:
        store.drop("passing")


def test_a_candidate_that_embeds_pictures_only_answers_pictures_and_leaves_texts_to_the_alias(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    share(100)
    console = process.console()
    assert pictures_only(console.store, console.models.cards, NEW) == ""
    blind = ModelCards([replace(card, has_text=card.key != "demo-siglip") for card in console.models.cards.all()])
    monkeypatch.setattr(console.models, "cards", blind)
    answer = search(client, key="user-1")
    assert (answer["collection"], len(answer["results"])) == (OLD, 5)
    picture = (console.settings.image_roots[0] / "0007.jpg").read_bytes()
    answer = client.post("/api/v1/search", files={"image": picture}, data={"key": "user-1"}, headers=BEARER).json()
    assert (answer["collection"], answer["results"][0]["id"]) == (NEW, 7)
    assert pictures_only(console.store, blind, NEW).startswith(f"{NEW} answers searches by picture only")


@pytest.mark.parametrize("key", ["", " ", 17, ["a"], "x" * 501])
def test_a_key_that_says_nothing_is_refused(client: TestClient, key: object) -> None:
    answer = client.post("/api/v1/search", json={"text": "a", "key": key}, headers=BEARER)
    assert (answer.status_code, answer.json()["error"]["message"].startswith("key ")) == (400, True)


def test_a_route_is_refused_without_a_key_without_an_alias_and_without_the_token(client: TestClient) -> None:
    assert route(client, alias="images").status_code == 400
    unknown = route(client, alias="nothing", key="user-1")
    assert (unknown.status_code, unknown.json()["error"]["message"]) == (404, "There is no alias nothing.")
    assert route(client, alias=OLD, key="user-1").status_code == 404
    assert client.get("/api/v1/route", params={"key": "user-1"}).status_code == 401

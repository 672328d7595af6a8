"""Thumbnails at signed addresses."""

import io
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from PIL import Image
from starlette.testclient import TestClient

from console_core.web import pictures, process, signing
from console_core.web.pictures import thumb_url

GOOD, BROKEN = "a b/1.jpg", "a b/broken.jpg"


def _revision(key: str) -> str:
    return process.console().catalog.get([key])[0].revision


@pytest.mark.parametrize(("size", "edge"), [("small", 224), ("large", 640)])
def test_a_picture_comes_as_webp_of_the_size_asked_for(client: TestClient, size: pictures.Size, edge: int) -> None:
    answer = client.get(thumb_url(GOOD, _revision(GOOD), size))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/webp"
    assert max(Image.open(io.BytesIO(answer.content)).size) == edge


def test_a_picture_stays_in_the_browser_and_is_not_sent_twice(client: TestClient) -> None:
    url = thumb_url(GOOD, _revision(GOOD))
    first = client.get(url)
    assert first.headers["cache-control"] == "private, max-age=43200, immutable"
    assert first.headers["cross-origin-resource-policy"] == "same-origin"
    again = client.get(url, headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""


def test_an_address_of_an_older_revision_is_asked_for_again(client: TestClient) -> None:
    assert client.get(thumb_url(GOOD, "older")).headers["cache-control"] == "private, no-cache"


def test_addresses_do_not_change_between_two_looks(client: TestClient) -> None:
    assert thumb_url(GOOD, "r") == thumb_url(GOOD, "r")


@pytest.mark.parametrize("part", ["s=", "v=", "e="])
def test_a_changed_address_is_refused(client: TestClient, part: str) -> None:
    url = thumb_url(GOOD, "r")
    forged = url.replace(part, part + "1")
    assert client.get(forged).status_code == 403


def test_a_signature_for_one_picture_opens_no_other(client: TestClient) -> None:
    one, other = thumb_url(GOOD, "r"), thumb_url(BROKEN, "r")
    assert client.get(f"{urlsplit(other).path}?{urlsplit(one).query}").status_code == 403
    assert client.get(one.replace("/small/", "/large/")).status_code == 403
    assert client.get("/thumb/small/YWJj").status_code == 403


def test_an_expired_address_is_refused(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    url = thumb_url(GOOD, "r")
    expires = int(parse_qs(urlsplit(url).query)["e"][0])
    monkeypatch.setattr(signing, "time", type("Later", (), {"time": staticmethod(lambda: expires + 1.0)}))
    assert time.time() < expires
    assert client.get(url).status_code == 403


def test_a_broken_picture_and_a_vanished_one_answer_with_a_grey_tile(client: TestClient, workspace: Path) -> None:
    broken = client.get(thumb_url(BROKEN, _revision(BROKEN)))
    assert (broken.status_code, broken.headers["content-type"]) == (422, "image/svg+xml")
    assert broken.text.startswith("<svg")
    unknown = client.get(thumb_url("nowhere.jpg", "r"))
    assert (unknown.status_code, unknown.headers["content-type"]) == (404, "image/svg+xml")
    revision = _revision("a b/2.jpg")
    (workspace / "images" / "a b" / "2.jpg").unlink()
    assert client.get(thumb_url("a b/2.jpg", revision)).status_code == 404


@pytest.mark.parametrize("key", ["", "../etc/passwd", "ü/日本 %2F?#.jpg", "bad\udcff.jpg"])
def test_any_key_survives_the_way_through_an_address(client: TestClient, key: str) -> None:
    assert pictures._decode(pictures._encode(key)) == key
    assert client.get(thumb_url(key, "r")).status_code == 404

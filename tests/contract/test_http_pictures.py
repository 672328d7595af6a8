"""Pictures from an http server that misbehaves: what is tried again, what is gone on with, and what is refused."""

import logging
import socket
import threading
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import numpy as np
import pytest

from console_core.catalog import transfer
from console_core.catalog.http_source import HttpSource
from console_core.catalog.local_files import MEBIBYTE
from console_core.catalog.opening import open_images
from console_core.catalog.types import UNTOLD, ImageStore
from console_core.catalog.web_addresses import parsed
from console_core.errors import (
    ImageError,
    ImageForbidden,
    ImageMissing,
    ImageTimeout,
    ImageTooLarge,
    ImageUnavailable,
    ImageUnreadable,
    ImageUnsupported,
)
from console_core.settings import HttpSettings, ImageSettings
from tests.picture_server import (
    Handler,
    PictureServer,
    broken_off,
    in_chunks,
    lying,
    serving,
    stalled,
    status,
    to,
)

DATA = np.random.default_rng(5).bytes(2_000_000)
OTHER = np.random.default_rng(6).bytes(2_000_000)
PART = 900_000
"""More bytes than are on the way to a reader at a time, which may be lost when a connection ends."""
TOKEN = "Bearer s3cret-value"
CERTIFICATE = Path(__file__).resolve().parents[1] / "self_signed.pem"
"""Of 127.0.0.1, made for these tests, valid for a hundred years, and trusted by nobody."""


@pytest.fixture
def server() -> Iterator[PictureServer]:
    with serving() as server:
        server.pictures["/p/a.jpg"] = DATA
        yield server


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "FIRST_PAUSE", 0.001)


class Opened:
    """Image stores that are closed after the test."""

    def __init__(self, server: PictureServer) -> None:
        self._server, self._opened = server, list[ImageStore]()

    def __call__(self, **changes: Any) -> ImageStore:
        settings = ImageSettings(
            (f"{self._server.url}/p/",), timeout=10, retries=2, http=HttpSettings((("Authorization", TOKEN),))
        )
        self._opened.append(open_images(replace(settings, **changes)))
        return self._opened[-1]

    def close(self) -> None:
        for images in self._opened:
            images.close()


@pytest.fixture
def opened(server: PictureServer) -> Iterator[Opened]:
    made = Opened(server)
    yield made
    made.close()


@pytest.fixture
def images(opened: Opened) -> ImageStore:
    return opened()


def failure(images: ImageStore, path: str = "a.jpg") -> ImageError:
    with pytest.raises(ImageError) as raised:
        images.read(path)
    assert raised.value.remedy
    assert raised.value.path == path
    assert TOKEN not in f"{raised.value}{raised.value.__cause__!r}"
    return raised.value


# What is tried again


@pytest.mark.parametrize("code", [408, 425, 429, 500, 502, 503, 504, 520])
def test_what_may_be_another_answer_next_time_is_asked_for_again(
    server: PictureServer, images: ImageStore, code: int
) -> None:
    server.faults["/p/a.jpg"].extend([status(code), status(code)])
    assert images.read("a.jpg") == DATA
    assert len(server.asked) == 3


def test_after_the_last_try_the_status_and_their_number_are_told(server: PictureServer, images: ImageStore) -> None:
    server.faults["/p/a.jpg"].extend([status(503)] * 3)
    found = failure(images)
    assert type(found) is ImageUnavailable
    assert "503 Service Unavailable" in found.message
    assert "tried 3 times" in found.message
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (400, ImageUnreadable),
        (401, ImageForbidden),
        (403, ImageForbidden),
        (404, ImageMissing),
        (410, ImageMissing),
        (418, ImageUnreadable),
        (204, ImageUnreadable),
        (304, ImageUnreadable),
        (501, ImageUnreadable),
        (206, ImageUnreadable),
    ],
)
def test_what_will_be_the_same_answer_next_time_is_not(
    server: PictureServer, images: ImageStore, code: int, expected: type[ImageError]
) -> None:
    server.faults["/p/a.jpg"].append(status(code))
    assert type(failure(images)) is expected
    assert len(server.asked) == 1


def test_a_storage_server_that_tells_in_the_text_that_there_is_nothing_is_understood(
    server: PictureServer, images: ImageStore
) -> None:
    text = b'{"statusCode":"404","error":"not_found","message":"Object not found"}'
    server.faults["/p/a.jpg"].append(status(400, body=text))
    assert type(failure(images)) is ImageMissing


@pytest.mark.parametrize("moment", [False, True])
def test_a_server_that_wants_to_be_left_alone_is_by_everyone_and_only_for_so_long(
    server: PictureServer, images: ImageStore, monkeypatch: pytest.MonkeyPatch, moment: bool
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(transfer.Gate, "shut", lambda _, seconds: waited.append(seconds))
    later = formatdate(4e9, usegmt=True) if moment else "7"
    server.faults["/p/a.jpg"].extend([status(429, {"Retry-After": later}), status(503)])
    assert images.read("a.jpg") == DATA
    assert waited == [transfer.LONGEST_PAUSE if moment else 7]


def test_while_a_server_wants_to_be_left_alone_nobody_asks_it(server: PictureServer, images: ImageStore) -> None:
    told = threading.Event()

    def later(handler: Handler, data: bytes | None) -> None:
        status(429, {"Retry-After": "1"})(handler, data)
        handler.wfile.flush()
        told.set()

    server.pictures["/p/b.jpg"] = OTHER
    server.faults["/p/a.jpg"].append(later)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(images.read, "a.jpg")
        assert told.wait(30)
        assert images.read("a.jpg") == DATA
        assert images.read("b.jpg") == OTHER
        assert first.result() == DATA
    begun = server.asked[0].at
    assert [one.path for one in server.asked if one.at < begun + 0.95 and one.path == "/p/b.jpg"] == []


# What breaks off


@pytest.mark.parametrize("validator", ["etags", "dated"])
def test_a_transfer_that_breaks_off_is_gone_on_with_from_where_it_broke(
    server: PictureServer, images: ImageStore, validator: str
) -> None:
    server.etags, server.dated = validator == "etags", validator == "dated"
    server.faults["/p/a.jpg"].extend([broken_off(PART), broken_off(PART)])
    assert images.read("a.jpg") == DATA
    begun = [one.headers.get("Range") for one in server.asked]
    assert begun[0] is None
    first, second = (int(str(text).removeprefix("bytes=").rstrip("-")) for text in begun[1:])
    assert 0 < first <= PART
    assert first < second <= first + PART
    assert all("If-Range" in one.headers for one in server.asked[1:])


def test_another_version_is_never_spliced_to_what_came_before(server: PictureServer, images: ImageStore) -> None:
    def replaced(handler: Handler, data: bytes | None) -> None:
        broken_off(PART)(handler, data)
        server.pictures["/p/a.jpg"] = OTHER

    server.faults["/p/a.jpg"].append(replaced)
    assert images.read("a.jpg") == OTHER


def test_a_server_that_goes_on_with_another_version_all_the_same_is_asked_anew(
    server: PictureServer, images: ImageStore
) -> None:
    def goes_on(handler: Handler, _data: bytes | None) -> None:
        start = int(handler.headers["Range"].removeprefix("bytes=").rstrip("-"))
        part = OTHER[start:]
        headers = {"Content-Range": f"bytes {start}-{len(OTHER) - 1}/{len(OTHER)}", "ETag": '"other"'}
        handler.head(206, {"Content-Length": len(part), **headers})
        handler.wfile.write(part)

    server.faults["/p/a.jpg"].extend([broken_off(PART), goes_on])
    assert images.read("a.jpg") == DATA


@pytest.mark.parametrize(("ranges", "etags"), [(False, True), (True, False)])
def test_where_a_part_cannot_be_had_or_not_be_trusted_all_of_it_is_asked_for_again(
    server: PictureServer, images: ImageStore, ranges: bool, etags: bool
) -> None:
    server.ranges, server.etags = ranges, etags
    server.faults["/p/a.jpg"].append(broken_off(PART))
    assert images.read("a.jpg") == DATA


def test_what_breaks_off_each_time_is_told_to(server: PictureServer, images: ImageStore) -> None:
    server.faults["/p/a.jpg"].extend([broken_off(1000)] * 3)
    found = failure(images)
    assert type(found) is ImageUnavailable
    assert "broke off" in found.message


def test_a_server_that_stalls_is_left_and_asked_for_the_rest(server: PictureServer, opened: Opened) -> None:
    server.faults["/p/a.jpg"].append(stalled(PART))
    assert opened(timeout=0.2).read("a.jpg") == DATA
    assert "Range" in server.asked[1].headers


def test_a_server_that_stalls_each_time_is_a_timeout(server: PictureServer, opened: Opened) -> None:
    server.faults["/p/a.jpg"].extend([stalled(0), stalled(10)])
    found = failure(opened(timeout=0.1, retries=1))
    assert type(found) is ImageTimeout
    assert "0.1 s" in found.message


def test_a_trickle_is_no_progress(server: PictureServer, opened: Opened) -> None:
    def trickling(handler: Handler, _data: bytes | None) -> None:
        handler.head(200, {"Content-Length": 40})
        for _ in range(40):
            handler.wfile.write(b"x")
            handler.wfile.flush()
            if server.released.wait(0.02):
                return

    server.faults["/p/a.jpg"].append(trickling)
    assert type(failure(opened(timeout=0.2, retries=0))) is ImageTimeout


def test_a_server_that_is_not_there_is_unavailable(opened: Opened) -> None:
    with serving() as gone:
        pass
    images = opened(roots=(f"{gone.url}/p/",), retries=1)
    found = failure(images)
    assert type(found) is ImageUnavailable
    assert gone.url.removeprefix("http://") in found.message
    problem, remedy = images.trouble(f"{gone.url}/p/")
    assert problem.startswith("does not answer")
    assert remedy


# How much it is


@pytest.mark.parametrize("more", [1, 1000])
def test_a_server_that_promises_more_than_there_is_has_it_damaged(
    server: PictureServer, images: ImageStore, more: int
) -> None:
    server.faults["/p/a.jpg"].extend([lying(more)] * 3)
    assert type(failure(images)) is ImageUnavailable


def test_a_server_that_promises_less_harms_no_neighbour(server: PictureServer, images: ImageStore) -> None:
    server.faults["/p/a.jpg"].append(lying(-1000))
    assert images.read("a.jpg") == DATA[:-1000]
    assert images.read("a.jpg") == DATA


def test_an_untold_size_is_bounded_too_and_room_is_made_for_the_most(server: PictureServer, opened: Opened) -> None:
    images, rooms = opened(largest=2), list[int]()
    for name, size in {
        "small": 5000,
        "large": UNTOLD + 5000,
        "largest": 2 * MEBIBYTE,
        "larger": 2 * MEBIBYTE + 1,
    }.items():
        server.pictures[f"/p/{name}"] = bytes(size)
        server.faults[f"/p/{name}"].append(in_chunks())
        if name == "larger":
            assert type(failure(images, name)) is ImageTooLarge
        else:
            assert len(images.read(name, rooms.append)) == size
    assert rooms == [5000, 2 * MEBIBYTE, 2 * MEBIBYTE]


def test_a_picture_takes_hardly_more_memory_than_it_has_bytes(server: PictureServer, images: ImageStore) -> None:
    server.pictures["/p/large.jpg"] = bytes(20 * MEBIBYTE)
    images.read("a.jpg")
    tracemalloc.start()
    try:
        assert len(images.read("large.jpg")) == 20 * MEBIBYTE
        assert tracemalloc.get_traced_memory()[1] < 26 * MEBIBYTE
    finally:
        tracemalloc.stop()


def test_chunks_that_end_too_early_are_gone_on_with(server: PictureServer, images: ImageStore) -> None:
    server.faults["/p/a.jpg"].append(in_chunks(cut=True))
    assert images.read("a.jpg") == DATA


def test_a_picture_too_large_is_refused_before_its_bytes_are_read(server: PictureServer, opened: Opened) -> None:
    def endless(handler: Handler, _data: bytes | None) -> None:
        handler.head(200, {"Content-Length": 10**12})
        handler.wfile.flush()
        server.released.wait(30)

    server.faults["/p/a.jpg"].append(endless)
    assert type(failure(opened(largest=1))) is ImageTooLarge


def test_what_is_packed_although_it_must_not_be_is_refused(server: PictureServer, images: ImageStore) -> None:
    server.faults["/p/a.jpg"].append(status(200, {"Content-Encoding": "gzip"}, b"x"))
    found = failure(images)
    assert type(found) is ImageUnsupported
    assert "gzip" in found.message
    assert server.asked[0].headers["Accept-Encoding"] == "identity"


def test_a_page_for_people_with_status_200_is_no_picture(server: PictureServer, images: ImageStore) -> None:
    page = status(200, {"Content-Type": "text/html; charset=utf-8"}, b"\n<!doctype html><h1>Log in</h1>")
    server.faults["/p/a.jpg"].append(page)
    found = failure(images)
    assert type(found) is ImageUnsupported
    assert "page for people" in found.message


def test_a_picture_that_is_said_to_be_a_page_is_a_picture(server: PictureServer, images: ImageStore) -> None:
    server.faults["/p/a.jpg"].append(status(200, {"Content-Type": "text/html"}, b"\x89PNG"))
    assert images.read("a.jpg") == b"\x89PNG"


# How many at once


def test_no_more_transfers_than_allowed_are_at_work_at_once(server: PictureServer, opened: Opened) -> None:
    server.before = lambda _: server.released.wait(0.005)
    images = opened(at_once=3)
    with ThreadPoolExecutor(12) as pool:
        assert all(found == DATA for found in pool.map(images.read, ["a.jpg"] * 36))
    assert server.most == 3
    assert len({one.client for one in server.asked}) <= 4  # connections are kept


def test_who_waits_for_room_keeps_nobody_else_from_reading(server: PictureServer, opened: Opened) -> None:
    images, room, asked = opened(at_once=1), threading.Event(), threading.Event()

    def full(_size: int) -> None:
        asked.set()
        room.wait(30)

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(images.read, "a.jpg", full)
        assert asked.wait(30)
        assert images.read("a.jpg") == DATA
        room.set()
        assert waiting.result() == DATA


# Where it leads


def test_a_redirect_within_the_roots_is_followed_with_the_headers_that_are_theirs(
    server: PictureServer, images: ImageStore
) -> None:
    server.faults["/p/a.jpg"].append(to("/elsewhere/b.jpg", 307))
    server.pictures["/elsewhere/b.jpg"] = OTHER
    assert images.read("a.jpg") == OTHER
    assert [one.headers.get("Authorization") for one in server.asked] == [TOKEN, TOKEN]


def test_a_loop_of_redirects_ends(server: PictureServer, images: ImageStore) -> None:
    server.faults["/p/a.jpg"].extend([to("b.jpg")] * 9)
    server.faults["/p/b.jpg"].extend([to("a.jpg")] * 9)
    found = failure(images)
    assert type(found) is ImageUnreadable
    assert "more than 5 times" in found.message
    assert len(server.asked) == 6


@pytest.mark.parametrize(
    ("address", "named"),
    [
        ("http://127.0.0.1:1/a.jpg", "127.0.0.1"),
        ("http://127.1:1/a.jpg", "127.1"),
        ("http://2130706433:1/a.jpg", "2130706433"),
        ("http://0x7f000001:1/a.jpg", "0x7f000001"),
        ("http://0177.0.0.1:1/a.jpg", "0177.0.0.1"),
        ("http://localhost:1/a.jpg", "localhost"),
        ("http://169.254.169.254/latest/meta-data/", "169.254.169.254"),
        ("http://10.0.0.7/a.jpg", "10.0.0.7"),
        ("http://192.168.1.1/a.jpg", "192.168.1.1"),
        ("http://100.64.0.1/a.jpg", "100.64.0.1"),
        ("http://0.0.0.0:1/a.jpg", "0.0.0.0"),
        ("http://224.0.0.1/a.jpg", "224.0.0.1"),
        ("http://[::1]:1/a.jpg", "::1"),
        ("http://[::ffff:127.0.0.1]:1/a.jpg", "::ffff:127.0.0.1"),
        ("http://[::ffff:7f00:1]:1/a.jpg", "::ffff:7f00:1"),
        ("http://[64:ff9b::a9fe:a9fe]/a.jpg", "64:ff9b::a9fe:a9fe"),
        ("http://[fd00::1]/a.jpg", "fd00::1"),
        ("http://[fe80::1]/a.jpg", "fe80::1"),
        ("file:///etc/passwd", "file:"),
        ("ftp://127.0.0.1/a.jpg", "ftp:"),
        ("data:image/png;base64,AAAA", "data:"),
        ("http://user:s3cret-value@127.0.0.1/a.jpg", "http:"),
    ],
)
def test_a_redirect_out_of_the_roots_to_what_is_not_public_is_refused_by_name(
    server: PictureServer, images: ImageStore, address: str, named: str
) -> None:
    server.faults["/p/a.jpg"].append(to(address))
    found = failure(images)
    assert type(found) is ImageForbidden
    assert named in found.message
    assert "s3cret-value" not in str(found)
    assert len(server.asked) == 1


def test_a_redirect_to_another_root_on_a_private_address_is_followed_without_the_others_being_open(
    server: PictureServer, opened: Opened
) -> None:
    with serving() as second, serving() as third:
        second.pictures["/q/b.jpg"] = OTHER
        images = opened(roots=(f"{server.url}/p/", f"{second.url}/q/"))
        server.faults["/p/a.jpg"].extend([to(f"{second.url}/q/b.jpg"), to(f"{third.url}/c.jpg")])
        assert images.read("a.jpg") == OTHER
        assert type(failure(images)) is ImageForbidden
        assert third.asked == []


def test_a_certificate_that_nobody_vouches_for_is_refused_at_once(opened: Opened) -> None:
    with serving(CERTIFICATE) as server:
        server.pictures["/p/a.jpg"] = DATA
        images = opened(roots=(f"{server.url}/p/",))
        found = failure(images)
        assert type(found) is ImageForbidden
        assert "certificate" in found.message
        assert "certificate" in images.trouble(f"{server.url}/p/")[0]
        assert server.asked == []


@pytest.mark.parametrize(
    ("location", "fine"),
    [("https://cdn.example/b", True), ("http://cdn.example/b", False), ("http://plain.example/b", True), ("b", True)],
)
def test_a_redirect_from_https_to_http_is_refused_but_for_another_root(location: str, fine: bool) -> None:
    source = HttpSource(ImageSettings(("https://host.example/p/", "http://plain.example/p/")))
    at = parsed("https://host.example/p/a.jpg")
    if fine:
        assert source._led(at, location, "a.jpg") == parsed(urljoin(str(at), location))
    else:
        with pytest.raises(ImageForbidden, match="from https to http"):
            source._led(at, location, "a.jpg")


def test_the_headers_go_to_no_other_server(
    server: PictureServer, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if 127.0.0.1 were anybody's: another port is another server."""
    monkeypatch.setattr("console_core.catalog.http_transport.is_public", lambda _: True)
    with serving() as other:
        other.pictures["/b.jpg"] = OTHER
        server.faults["/p/a.jpg"].append(to(f"{other.url}/b.jpg"))
        assert opened().read("a.jpg") == OTHER
        assert "Authorization" not in other.asked[0].headers


def test_a_name_is_connected_to_at_the_address_that_was_looked_at(
    server: PictureServer, images: ImageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if 127.0.0.1 were anybody's. The name leads there when it is looked at, and elsewhere ever after."""
    addresses = ["127.0.0.1"]

    async def resolve(_self: object, host: str, port: int, family: object) -> list[dict[str, Any]]:
        address = addresses.pop()
        return [{"hostname": host, "host": address, "port": port, "family": socket.AF_INET, "proto": 0, "flags": 0}]

    monkeypatch.setattr("aiohttp.ThreadedResolver.resolve", resolve)
    monkeypatch.setattr("console_core.catalog.http_transport.is_public", lambda host: host == "127.0.0.1")
    with serving() as other:
        other.pictures["/b.jpg"] = OTHER
        server.faults["/p/a.jpg"].append(to(f"http://rebinds.example:{other.url.rpartition(':')[2]}/b.jpg"))
        assert images.read("a.jpg") == OTHER
    assert addresses == []
    addresses.append("127.0.0.2")
    server.faults["/p/a.jpg"].append(to("http://private.example/b.jpg"))
    assert type(failure(images)) is ImageForbidden


def test_nothing_of_a_secret_is_logged(
    server: PictureServer, images: ImageStore, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        server.faults["/p/a.jpg"].extend([status(500), broken_off(10), status(403)])
        failure(images)
    assert "s3cret-value" not in caplog.text


def test_what_stands_behind_a_question_mark_is_sent_and_not_told(server: PictureServer, images: ImageStore) -> None:
    path = f"{server.url}/p/a.jpg?token=s3cret-value&w=3"
    assert images.read(path) == DATA
    assert server.paths() == ["/p/a.jpg?token=s3cret-value&w=3"]
    server.faults["/p/a.jpg"].append(status(404))
    assert "s3cret-value" not in failure(images, path).message


def test_an_answer_that_is_no_http_is_unavailable_and_told_without_what_was_asked(
    server: PictureServer, images: ImageStore
) -> None:
    def nonsense(handler: Handler, _data: bytes | None) -> None:
        handler.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        handler.close_connection = True

    server.faults["/p/a.jpg"].extend([nonsense] * 3)
    assert type(failure(images)) is ImageUnavailable


@pytest.mark.parametrize(("code", "says"), [(401, "401"), (503, "503")])
def test_a_root_that_answers_with_an_error_is_told(
    server: PictureServer, images: ImageStore, code: int, says: str
) -> None:
    server.faults["/p/"].append(status(code))
    problem, remedy = images.trouble(f"{server.url}/p/")
    assert says in problem
    assert remedy
    server.faults["/p/"].append(status(403))  # what may not be listed may be read
    assert images.trouble(f"{server.url}/p/") == ("", "")


def test_what_is_under_way_when_the_store_is_closed_ends_with_an_error_of_its_own(
    server: PictureServer, opened: Opened
) -> None:
    begun = threading.Event()
    server.before = lambda _: begun.set()
    server.faults["/p/a.jpg"].append(stalled(10))
    images = opened(timeout=60)
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(images.read, "a.jpg")
        assert begun.wait(30)
        images.close()
        assert isinstance(reading.exception(), ImageUnavailable)


def test_a_closed_store_reads_nothing(server: PictureServer, images: ImageStore) -> None:
    images.close()
    assert type(failure(images)) is ImageUnavailable
    assert server.asked == []

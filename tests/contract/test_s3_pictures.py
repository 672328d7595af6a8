"""Pictures from a store that speaks S3 and misbehaves."""

import logging
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from console_core.catalog import transfer
from console_core.catalog.opening import open_images
from console_core.catalog.types import ImageStore
from console_core.errors import ImageError, ImageForbidden, ImageMissing, ImageUnavailable, ImageUnreadable
from console_core.settings import ImageSettings, S3Settings
from tests.picture_server import Fault, Handler, PictureServer, broken_off, serving, status

DATA = np.random.default_rng(5).bytes(2_000_000)
OTHER = np.random.default_rng(6).bytes(1_500_000)
SECRET = "s3cret-value"
ROOT = "s3://bucket/p/"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "FIRST_PAUSE", 0.001)


@pytest.fixture
def server() -> Iterator[PictureServer]:
    with serving() as server:
        server.pictures["/bucket/p/a.jpg"] = DATA
        yield server


def settings(server: PictureServer) -> ImageSettings:
    s3 = S3Settings(server.url, key="AKIAEXAMPLE", secret=SECRET, region="eu-central-1")
    return ImageSettings((ROOT,), timeout=10, retries=2, s3=s3)


@pytest.fixture
def images(server: PictureServer) -> Iterator[ImageStore]:
    opened = open_images(settings(server))
    yield opened
    opened.close()


def failure(images: ImageStore, path: str = "a.jpg") -> ImageError:
    with pytest.raises(ImageError) as raised:
        images.read(path)
    assert raised.value.remedy
    assert raised.value.path == path
    for secret in (SECRET, "X-Amz", "AKIA"):
        assert secret not in f"{raised.value}{raised.value.__cause__!r}"
    return raised.value


def said(code: int, name: str, message: str = "Because.") -> Fault:
    return status(code, body=f"<Error><Code>{name}</Code><Message>{message}</Message></Error>".encode())


def test_every_request_is_signed_for_its_own_key(server: PictureServer, images: ImageStore) -> None:
    server.pictures["/bucket/p/a%20b.jpg"] = OTHER
    assert images.read("a.jpg") == DATA
    assert images.read("a%20b.jpg") == OTHER
    first, second = server.paths()
    assert first.startswith("/bucket/p/a.jpg?X-Amz-Algorithm=AWS4-HMAC-SHA256&")
    assert second.startswith("/bucket/p/a%2520b.jpg?")
    assert "eu-central-1" in first
    assert SECRET not in first
    assert first.partition("X-Amz-Signature=")[2] != second.partition("X-Amz-Signature=")[2]


def test_an_anonymous_request_is_not_signed(server: PictureServer) -> None:
    images = open_images(replace(settings(server), s3=S3Settings(server.url, anonymous=True)))
    assert images.read("./x/../a.jpg") == DATA
    assert server.paths() == ["/bucket/p/a.jpg"]
    images.close()


@pytest.mark.parametrize("name", ["SlowDown", "InternalError", "ServiceUnavailable"])
def test_a_store_that_is_busy_is_asked_again(server: PictureServer, images: ImageStore, name: str) -> None:
    server.faults["/bucket/p/a.jpg"].extend([said(503, name), said(400, "RequestTimeout")])
    assert images.read("a.jpg") == DATA


def test_what_breaks_off_is_gone_on_with_if_it_still_is_the_same(server: PictureServer, images: ImageStore) -> None:
    server.faults["/bucket/p/a.jpg"].append(broken_off(900_000))
    assert images.read("a.jpg") == DATA
    assert server.asked[1].headers["Range"].startswith("bytes=")
    assert server.asked[1].headers["If-Match"]


def test_another_version_is_never_spliced_to_what_came_before(server: PictureServer, images: ImageStore) -> None:
    def replaced(handler: Handler, data: bytes | None) -> None:
        broken_off(900_000)(handler, data)
        server.pictures["/bucket/p/a.jpg"] = OTHER

    server.faults["/bucket/p/a.jpg"].append(replaced)
    assert images.read("a.jpg") == OTHER
    assert "If-Match" in server.asked[1].headers
    assert "If-Match" not in server.asked[2].headers


@pytest.mark.parametrize(
    ("code", "name", "expected"),
    [
        (404, "NoSuchKey", ImageMissing),
        (404, "NoSuchBucket", ImageMissing),
        (403, "AccessDenied", ImageForbidden),
        (403, "InvalidAccessKeyId", ImageForbidden),
        (403, "SignatureDoesNotMatch", ImageForbidden),
        (301, "PermanentRedirect", ImageUnreadable),
        (400, "AuthorizationHeaderMalformed", ImageUnreadable),
    ],
)
def test_a_refusal_is_told_by_its_code_and_not_asked_for_again(
    server: PictureServer, images: ImageStore, code: int, name: str, expected: type[ImageError]
) -> None:
    server.faults["/bucket/p/a.jpg"].append(said(code, name, "It is so."))
    found = failure(images)
    assert type(found) is expected
    assert f"{name} (It is so)" in found.message
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("code", "name", "is_fine"),
    [
        (404, "NoSuchKey", True),
        (403, "AccessDenied", True),
        (404, "NoSuchBucket", False),
        (403, "InvalidAccessKeyId", False),
        (403, "SignatureDoesNotMatch", False),
        (503, "SlowDown", False),
        (301, "PermanentRedirect", False),
    ],
)
def test_a_root_that_cannot_be_used_says_why(
    server: PictureServer, images: ImageStore, code: int, name: str, is_fine: bool
) -> None:
    server.faults["*"].append(said(code, name))
    problem, remedy = images.trouble(ROOT)
    if is_fine:
        assert (problem, remedy) == ("", "")
    else:
        assert name in problem
        assert remedy


def test_a_store_that_is_not_there_is_unavailable(images: ImageStore, server: PictureServer) -> None:
    with serving() as gone:
        pass
    other = open_images(replace(settings(gone), retries=0))
    assert type(failure(other)) is ImageUnavailable
    problem, remedy = other.trouble(ROOT)
    assert problem.startswith("does not answer")
    assert remedy
    other.close()


@pytest.mark.parametrize("path", ["a//b.jpg", "folder/", "a\nb.jpg"])
def test_a_key_that_cannot_be_signed_is_missing_and_not_asked_for(
    server: PictureServer, images: ImageStore, path: str
) -> None:
    assert type(failure(images, path)) is ImageMissing
    assert server.asked == []


def test_nothing_of_a_secret_is_logged(
    server: PictureServer, images: ImageStore, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        server.faults["/bucket/p/a.jpg"].extend([said(503, "SlowDown"), said(403, "AccessDenied")])
        failure(images)
    assert SECRET not in caplog.text
    assert "X-Amz-Signature" not in caplog.text

"""Where pictures may lie, as console.toml and the environment say it."""

import os
from pathlib import Path

import pytest

from console_core import settings
from console_core.catalog.opening import open_images
from console_core.errors import SettingsError
from console_core.settings import HttpSettings, ImageSettings, S3Settings

SQL = '[catalog]\nlocation = "sqlite:///a.db"\ntable = "t"\n'
SECRET = "s3cret-value"


def read(workspace: Path, images: str = "", **environment: str) -> ImageSettings:
    (workspace / settings.FILE).write_text(f"{SQL}[images]\n{images}")
    return settings.read(workspace, environment).images


def refused(workspace: Path, images: str = "", **environment: str) -> SettingsError:
    with pytest.raises(SettingsError) as raised:
        read(workspace, images, **environment)
    assert raised.value.remedy
    assert SECRET not in str(raised.value)
    return raised.value


def test_every_setting_of_pictures_on_servers_is_read(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        """
        root = "s3://pictures/2026"
        also = ["HTTPS://host.example:8443/a/b", "folder", "http://[::1]/"]
        timeout = 5
        retries = 0
        at_once = 8
        largest = 20
        [images.http]
        headers = { Authorization = "Bearer ${TOKEN}", "X-Client" = "console" }
        [images.s3]
        endpoint_url = "https://project.example/storage/v1/s3"
        key = "AKIA"
        secret = "${S3_SECRET}"
        region = "eu-central-1"
        """,
        TOKEN=SECRET,
        S3_SECRET=SECRET,
    )
    assert found == ImageSettings(
        ("s3://pictures/2026/", "https://host.example:8443/a/b/", str(tmp_path / "folder"), "http://[::1]/"),
        timeout=5,
        retries=0,
        at_once=8,
        largest=20,
        http=HttpSettings((("Authorization", f"Bearer {SECRET}"), ("X-Client", "console"))),
        s3=S3Settings("https://project.example/storage/v1/s3", "AKIA", SECRET, "eu-central-1"),
    )
    assert found.folders == (tmp_path / "folder",)
    assert SECRET not in repr(found)
    assert SECRET not in repr(settings.read(tmp_path, {"TOKEN": SECRET, "S3_SECRET": SECRET}))


def test_without_them_there_are_usual_values(tmp_path: Path) -> None:
    assert read(tmp_path) == ImageSettings((str(tmp_path / "images"),))


@pytest.mark.skipif(os.pathsep != ":", reason="about the colon")
@pytest.mark.parametrize(
    ("given", "roots"),
    [
        ("/a:/b:", ("/a", "/b")),
        ("https://host/p:/b", ("https://host/p/", "/b")),
        ("/a:http://host:8080/p/:s3://bucket/p:/b", ("/a", "http://host:8080/p/", "s3://bucket/p/", "/b")),
        ("http://[::1]:80:https://host", ("http://[::1]:80/", "https://host/")),
        ("S3://bucket", ("s3://bucket/",)),
    ],
)
def test_a_url_in_the_environment_keeps_its_colons(tmp_path: Path, given: str, roots: tuple[str, ...]) -> None:
    assert read(tmp_path, CONSOLE_IMAGE_ROOT=given).roots == roots


@pytest.mark.parametrize(
    ("images", "named"),
    [
        ('root = "file:///pictures"', "file"),
        ('root = "gs://bucket/p"', "gs"),
        ('root = "https:///p"', "host"),
        (f'root = "https://user:{SECRET}@host/p"', "password"),
        (f'root = "https://host/p?token={SECRET}"', "?"),
        ('root = "https://host:port/p"', "no address"),
        ("timeout = 0", "timeout"),
        ("at_once = 0", "at_once"),
        ("largest = 0", "largest"),
        ("http = 3", "images.http"),
        (f'[images.http]\nheaders = "{SECRET}"', "headers"),
        (f'[images.http]\nheaders = {{ A = ["{SECRET}"] }}', "headers"),
        ("[images.http]\nheader = 3", "headers"),
        (f'[images.http]\nheaders = {{ Authorization = "{SECRET}\\n" }}', "Authorization"),
        (f'[images.http]\nheaders = {{ "A B" = "{SECRET}" }}', "A B"),
        ("[images.s3]\nsecret = 3", "not a text"),
        (f'[images.s3]\nsecret = "{SECRET}"', "only one"),
        (f'[images.s3]\nkey = "a"\nsecret = "{SECRET}"\nanonymous = true', "anonymous"),
        (f'[images.s3]\nendpoint_url = "https://user:{SECRET}@host/"', "password"),
        ('[images.s3]\nendpoint_url = "s3://bucket"', "s3"),
        ("[images.s3]\nbucket = 3", "bucket"),
    ],
)
def test_what_cannot_be_meant_is_refused_without_a_secret_being_told(tmp_path: Path, images: str, named: str) -> None:
    assert named in str(refused(tmp_path, images))


def test_a_password_in_a_root_of_the_environment_is_refused_and_not_told(tmp_path: Path) -> None:
    refused(tmp_path, CONSOLE_IMAGE_ROOT=f"/a:https://user:{SECRET}@host/p:/b")


def test_what_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("console_core.catalog.http_source", "console_core.catalog.s3_source"):
        monkeypatch.setitem(__import__("sys").modules, module, None)
    for root in ("https://host/p/", "s3://bucket/"):
        with pytest.raises(SettingsError, match=r"embedding-console\[remote\]"):
            open_images(ImageSettings((root,)))
    open_images(ImageSettings((str(tmp_path),))).close()

"""Where pictures lie, and how they are got from there: [images]."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from console_core.errors import SettingsError
from console_core.settings.places import path_of
from console_core.settings.section import Section
from console_core.settings.types import CatalogSettings, HttpSettings, ImageSettings, S3Settings

IMAGES = ("root", "also", "timeout", "retries", "at_once", "largest", "http", "s3")
_HTTP = ("headers",)
_S3 = ("endpoint_url", "key", "secret", "region", "anonymous")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+: [^\x00-\x1f\x7f]*")
_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_SEPARATOR = re.escape(os.pathsep)
_PLACE = re.compile(
    rf"(?:https?|s3)://(?:[^/@]*@)?(?:\[[^\]]*\]|[^/\[{_SEPARATOR}]*)(?::\d+)?(?:/[^{_SEPARATOR}]*)?|[^{_SEPARATOR}]+",
    re.IGNORECASE,
)
"""One place of a list that is separated like PATH: a URL with its own colons, or a folder."""


def image_settings(
    section: Section, workspace: Path, environment: Mapping[str, str], catalog: CatalogSettings
) -> ImageSettings:
    http, s3 = section.inner("http", _HTTP), section.inner("s3", _S3)
    settings = S3Settings(
        endpoint_url=s3.text("endpoint_url"),
        key=s3.text("key"),
        secret=s3.text("secret"),
        region=s3.text("region"),
        anonymous=s3.truth("anonymous", False),
    )
    if settings.endpoint_url:
        _checked(settings.endpoint_url, ("http", "https"), "endpoint_url of [images.s3]")
    if bool(settings.key) != bool(settings.secret) or (settings.key and settings.anonymous):
        raise SettingsError(
            "[images.s3] has only one of key and secret, or a key although it is anonymous.",
            "Give both key and secret, or neither: then AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY count, "
            "or the role of the machine.",
        )
    return ImageSettings(
        roots=_roots(section, workspace, environment, catalog),
        timeout=section.number("timeout", 30, least=1),
        retries=section.number("retries", 4),
        at_once=section.number("at_once", 32, least=1),
        largest=section.number("largest", 100, least=1),
        http=HttpSettings(_headers(http)),
        s3=settings,
    )


def _headers(section: Section) -> tuple[tuple[str, str], ...]:
    headers = section.words("headers")
    if wrong := next((name for name, value in headers.items() if not _HEADER.fullmatch(f"{name}: {value}")), None):
        raise SettingsError(
            f"The header {wrong!r} in [images.http] has a line break or another character that none can have.",
            "Correct its name, or the environment variable that its value comes from.",
        )
    return tuple(headers.items())


def _roots(
    section: Section, workspace: Path, environment: Mapping[str, str], catalog: CatalogSettings
) -> tuple[str, ...]:
    """The configured places, and the folder that a folder catalog or an image list lies in; a CSV or Parquet file's own
    where none is configured."""
    given = environment.get("CONSOLE_IMAGE_ROOT")
    usual = str(Path(catalog.location).parent) if catalog.kind == "table" else "images"
    texts = _PLACE.findall(given) if given else [section.text("root", usual), *section.texts("also")]
    roots = [_root(workspace, text) for text in texts if text]
    if catalog.kind in ("folder", "list"):
        location = Path(catalog.location)
        roots.append(str(location if catalog.kind == "folder" else location.parent))
    return tuple(dict.fromkeys(roots))


def _root(workspace: Path, text: str) -> str:
    """A folder as an absolute path; a URL as it is, with a slash at its end."""
    if not _ADDRESS.match(text):
        return str(path_of(workspace, text))
    scheme, rest = _checked(text, ("http", "https", "s3"), "An image root")
    return f"{scheme}://{rest.rstrip('/')}/"


def _checked(text: str, schemes: tuple[str, ...], what: str) -> tuple[str, str]:
    """Scheme and the rest of a URL. What is said of one that is refused holds no more of it than its scheme and host:
    a password may stand in it."""
    scheme, _, rest = text.partition("://")
    scheme = scheme.lower()
    try:
        parts = urlsplit(f"{scheme}://{rest}")
        host = parts.hostname or ""
        _ = parts.port
    except ValueError as error:  # the error itself would name all of the address
        raise SettingsError(f"{what} is no address: {scheme}://…", "Write http(s)://host/prefix/.") from error
    shown = f"{scheme}://{host}"
    if scheme not in schemes:
        raise SettingsError(
            f"{what} is {shown}…, and {scheme} is no kind of place that the console reads pictures from.",
            "Use a folder, http(s)://host/prefix/ or s3://bucket/prefix/.",
        )
    if not host:
        raise SettingsError(f"{what} is {shown}… and names no host or bucket.", f"Write {scheme}://name/prefix/.")
    if parts.username is not None or parts.password is not None:
        raise SettingsError(
            f"{what}, {shown}, has a user's name or password in it, which would be shown.",
            'Put it into [images.http] headers, as Authorization = "Basic ${NAME}", or into key and secret of '
            "[images.s3].",
        )
    if "?" in rest or "#" in rest:
        raise SettingsError(f"{what}, {shown}, has a ? or a # in it.", "Name the prefix only, and encode these two.")
    return scheme, rest

"""Thumbnails at signed addresses: /thumb/<size>/<key>?v=<revision>&e=<expiry>&s=<signature>.

Pixels are made by a few threads, never on the event loop. A picture that cannot be shown answers with a grey tile,
so that a gallery keeps its shape.
"""

import asyncio
from base64 import urlsafe_b64decode, urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from typing import Literal
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from console_core.console import Console
from console_core.errors import CatalogError, ImageError, ImageMissing, NotFound
from console_core.web import process
from console_core.web.signing import expiry, is_valid, secret_of, signature

Size = Literal["small", "large"]
PIXELS: dict[Size, int] = {"small": 224, "large": 640}

_POOL = ThreadPoolExecutor(max_workers=4, thread_name_prefix="thumbnail")

_SHOWN = {"cross-origin-resource-policy": "same-origin", "x-content-type-options": "nosniff"}
_FRESH = {**_SHOWN, "cache-control": "private, max-age=43200, immutable"}
_OUTDATED = {**_SHOWN, "cache-control": "private, no-cache"}
_FAILED = {**_SHOWN, "cache-control": "private, max-age=60"}

_TILE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 160 160">'
    '<rect width="160" height="160" fill="#8a97a8" fill-opacity=".18"/>'
    '<g fill="none" stroke="#8a97a8" stroke-width="4" stroke-linejoin="round">'
    '<rect x="50" y="56" width="60" height="48" rx="5"/><path d="M54 98l17-18 12 12 10-9 13 14M46 110L114 50"/></g>'
    "</svg>"
)


def thumb_url(key: str, revision: str = "", size: Size = "small") -> str:
    """The address of a picture's thumbnail on this server, the same for six hours, or until the settings are changed:
    what a browser remembers not to be there may be there then.

    Raises:
        ConsoleError: the Console cannot be opened.
    """
    secret, expires = secret_of(process.console().settings.workspace), expiry()
    query = {"v": revision, "e": expires, "s": signature(secret, size, key, revision, expires)}
    if generation := process.generation():
        query["g"] = generation
    return f"/thumb/{size}/{_encode(key)}?{urlencode(query)}"


async def thumb(request: Request) -> Response:
    """The picture; 403 for a bad or expired signature, 404 or 422 with a grey tile where there is no picture."""
    console = process.opened()
    if console is None:
        return PlainTextResponse("the console is not open yet", 503)
    try:
        size, key = request.path_params["size"], _decode(request.path_params["key"])
        revision, expires = request.query_params.get("v", ""), int(request.query_params.get("e", ""))
    except ValueError:
        return PlainTextResponse("not a picture's address", 403, _FAILED)
    secret = secret_of(console.settings.workspace)
    signed = is_valid(secret, request.query_params.get("s", ""), expires, size, key, revision)
    if size not in PIXELS or not signed:
        return PlainTextResponse("this address is not valid, or no longer: reload the page", 403, _FAILED)
    known = request.headers.get("if-none-match", "")
    try:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(_POOL, _picture, console, key, revision, PIXELS[size], known)
    except (ImageMissing, NotFound):
        return Response(_TILE, 404, _FAILED, "image/svg+xml")
    except ImageError:
        return Response(_TILE, 422, _FAILED, "image/svg+xml")
    except CatalogError as error:
        return PlainTextResponse(str(error), 503)


def _picture(console: Console, key: str, revision: str, pixels: int, known: str) -> Response:
    """The answer for a picture. Only what was asked for by its present revision may stay in a browser unasked."""
    rows = console.rows([key])
    if not rows:
        raise NotFound("The catalog has no such picture.")
    row = rows[0]
    etag = f'"{console.thumbnails.etag(row, pixels)}"'
    headers = {**(_FRESH if row.revision == revision else _OUTDATED), "etag": etag}
    if etag in known:
        return Response(status_code=304, headers=headers)
    return Response(console.thumbnails.get(row, pixels).data, headers=headers, media_type="image/webp")


def _encode(key: str) -> str:
    """Keys may be paths with dots and slashes, which browsers and proxies rewrite: letters and digits are safe."""
    return urlsafe_b64encode(key.encode("utf-8", "surrogatepass")).rstrip(b"=").decode() or "-"


def _decode(text: str) -> str:
    padded = text + "=" * (-len(text) % 4)
    return "" if text == "-" else urlsafe_b64decode(padded).decode("utf-8", "surrogatepass")


ROUTES = [Route("/thumb/{size}/{key}", thumb)]

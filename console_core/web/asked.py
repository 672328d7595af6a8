"""What a program asks the search API: read from JSON or from a form, within limits, and refused with a sentence."""

import base64
import binascii
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from PIL import Image
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

from console_core.catalog.decoding import decode_question
from console_core.errors import Refused
from console_core.querylab.comparison import Where
from console_core.rollout.buckets import LONGEST

MOST_BYTES = 16 * 2**20
"""Of a request's body. A picture in JSON may have three quarters of it."""
MOST_PIXELS = 50_000_000
"""Of a picture that is searched for: decoded it takes three bytes for each."""
MOST_VALUES = 1000
"""In `where`, of all fields together."""
FIELDS = ("text", "image", "limit", "namespace", "where", "collection", "key")
_USUAL_LIMIT = 10


class TooLarge(Refused):
    """The body has more bytes than are read."""


class NotUnderstood(Refused):
    """The body is neither JSON nor a form, or is not as it should be."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to `collection` ("": the only alias): a text, or the bytes of a picture.

    `key` says who asks, "" where nobody says so.
    """

    text: str = ""
    image: bytes = b""
    limit: int = _USUAL_LIMIT
    collection: str = ""
    where: Where = field(default_factory=dict)
    key: str = ""

    def question(self) -> str | Image.Image:
        """The text, or the picture decoded.

        Raises:
            ImageError: the bytes are no picture, or one with too many pixels.
        """
        return decode_question(self.image, "The picture", max_pixels=MOST_PIXELS) if self.image else self.text


async def read(request: Request) -> Asked:
    """What a request asks for; of its body no more is read than is allowed.

    Raises:
        TooLarge, NotUnderstood
    """
    limited = Request(request.scope, _limited(request))
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        return _from_json(await limited.body())
    if kind == "multipart/form-data":
        return await _from_form(limited)
    raise NotUnderstood(
        f"The content type {kind or 'of the body is not told, which'} is not understood.",
        "Send application/json, or multipart/form-data with a file named image.",
    )


def _limited(request: Request) -> Any:
    told, seen = request.headers.get("content-length", ""), 0
    if told.isdecimal() and int(told) > MOST_BYTES:
        raise _too_large()

    async def receive() -> Message:
        nonlocal seen
        message = await request.receive()
        seen += len(message.get("body", b""))
        if seen > MOST_BYTES:
            raise _too_large()
        return message

    return receive


def _too_large() -> TooLarge:
    return TooLarge(f"The body has more than {MOST_BYTES // 2**20} MiB.", "Send a smaller version of the picture.")


def _from_json(body: bytes) -> Asked:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NotUnderstood(
            f"The body is not JSON: {error}.", 'Send an object, such as {"text": "a red car"}.'
        ) from error
    if not isinstance(told, dict):
        raise NotUnderstood("The body is JSON, but no object.", 'Send an object, such as {"text": "a red car"}.')
    image = told.get("image") or ""
    if not isinstance(image, str):
        raise NotUnderstood("image is no text.", "Send the picture's bytes in base64.")
    return _asked({**told, "image": _decoded(image) if image else b""})


async def _from_form(request: Request) -> Asked:
    try:
        async with request.form(max_files=1, max_fields=len(FIELDS)) as form:
            told: dict[str, Any] = {}
            for name, value in form.multi_items():
                told[name] = await value.read() if isinstance(value, UploadFile) else value
    except HTTPException as error:
        raise NotUnderstood(f"The form cannot be read: {error.detail}", "Send it as `curl -F` does.") from error
    if isinstance(told.get("image"), str):
        raise NotUnderstood("image is no file.", "Send the picture as a file: `curl -F image=@picture.jpg`.")
    if wrong := next((name for name, value in told.items() if isinstance(value, bytes) and name != "image"), ""):
        raise NotUnderstood(f"{wrong} is a file.", "Only image is one.")
    if "limit" in told:
        digits = str(told["limit"])
        told["limit"] = int(digits) if digits.isdecimal() and len(digits) < 10 else told["limit"]
    if "where" in told:
        try:
            told["where"] = json.loads(told["where"])
        except ValueError as error:
            raise NotUnderstood(f"where is not JSON: {error}.", 'Send an object: {"label": "cat"}.') from error
    return _asked(told)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotUnderstood(f"image is not base64: {error}.", "Send the picture's bytes in base64.") from error


def _asked(told: Mapping[str, Any]) -> Asked:
    if unknown := next((name for name in told if name not in FIELDS), ""):
        raise NotUnderstood(f"{unknown} is not understood.", f"Known are {', '.join(FIELDS)}.")
    try:
        json.dumps({name: told[name] for name in told if name != "image"}, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise NotUnderstood("The question has half of a character in it.", "Send text in UTF-8.") from error
    text, image, limit = told.get("text") or "", told.get("image") or b"", told.get("limit", _USUAL_LIMIT)
    if not isinstance(text, str) or bool(text.strip()) == bool(image):
        raise NotUnderstood("There is not exactly one thing to search for.", "Send either text or image.")
    if not isinstance(limit, int) or isinstance(limit, bool):
        raise NotUnderstood(f"limit is {limit!r}.", "Send a whole number.")
    collection, namespace = told.get("collection") or "", told.get("namespace")
    if not isinstance(collection, str) or not isinstance(namespace, str | None):
        raise NotUnderstood("collection or namespace is no text.", "Send their names.")
    where = told.get("where") or {}
    if not isinstance(where, dict):
        raise NotUnderstood("where is no object.", 'Send payload fields with values: {"label": ["cat", "dog"]}.')
    fields = {name: value if isinstance(value, list) else [value] for name, value in where.items()}
    values = [value for several in fields.values() for value in several]
    if not all(map(_is_plain, values)):
        raise NotUnderstood("where has a value that is no text, number or truth value.", "Send plain values.")
    if len(values) > MOST_VALUES:
        raise NotUnderstood(f"where has {len(values):,} values.", f"Send at most {MOST_VALUES:,}.")
    fields |= {} if namespace is None else {"namespace": [namespace]}
    key = checked_key(told["key"]) if told.get("key") is not None else ""
    return Asked(text, image, limit, collection, fields, key)


def checked_key(key: Any) -> str:
    """A caller's key, as it was sent.

    Raises:
        NotUnderstood: it is no text, empty or too long.
    """
    if not isinstance(key, str) or not key.strip():
        raise NotUnderstood("key is no text.", "Send the id of the user or the session as a text, or leave it out.")
    if len(key) > LONGEST:
        raise NotUnderstood(f"key has {len(key):,} characters.", f"Send at most {LONGEST:,}.")
    return key


def _is_plain(value: Any) -> bool:
    """Whether a store can look for a value: numbers have 64 bits there, and are finite."""
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    return value is None or isinstance(value, str) or (isinstance(value, float) and math.isfinite(value))

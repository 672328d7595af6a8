"""Addresses that nobody can make up: an HMAC over what they show, with a secret that stays in the workspace."""

import hmac
import json
import os
import secrets
import time
from base64 import urlsafe_b64encode
from functools import lru_cache
from pathlib import Path

from console_core.errors import SettingsError

SECRET_FILE = "web.secret"
BUCKET = 6 * 3600
"""Seconds. Addresses change only this often, so that a browser's cache stays useful; each holds 6 to 12 hours."""


@lru_cache(maxsize=8)
def secret_of(workspace: Path) -> bytes:
    """The workspace's secret, 32 bytes, made at the first call and readable by its owner only.

    Raises:
        SettingsError: it can be neither read nor made.
    """
    file = workspace / SECRET_FILE
    try:
        if not file.exists():
            _make(file)
        return bytes.fromhex(file.read_text().strip())
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"The secret for signed addresses, {file}, cannot be used: {error}.",
            "Make the workspace writable, or delete the file: a new secret is made and open pages need a reload.",
        ) from error


def _make(file: Path) -> None:
    """Linked into place complete, so that a second process reads the whole secret or makes none."""
    draft = file.with_name(f"{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(secrets.token_hex(32))
    try:
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def expiry(now: float | None = None) -> int:
    """When an address made now expires, in seconds since 1970; the same for all made in one bucket."""
    moment = time.time() if now is None else now
    return (int(moment) // BUCKET + 2) * BUCKET


def signature(secret: bytes, *parts: str | int) -> str:
    """A signature of the parts and their order, 128 bits in URL-safe text."""
    message = json.dumps(parts).encode("ascii")
    return urlsafe_b64encode(hmac.digest(secret, message, "sha256")[:16]).rstrip(b"=").decode()


def is_valid(secret: bytes, given: str, expires: int, *parts: str | int) -> bool:
    """Whether `given` signs these parts and has not expired."""
    expected = signature(secret, *parts, expires)
    return hmac.compare_digest(given.encode(), expected.encode()) and time.time() < expires

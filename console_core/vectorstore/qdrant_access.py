"""What an access token for Qdrant permits. A token is a signed text that anybody can read; a plain key says nothing.

The token itself is never shown.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from console_core.errors import StoreError, StoreRefused

READ, MANAGE = "r", "m"
_WRITES = frozenset({"rw", MANAGE})


@dataclass(frozen=True, slots=True)
class Claims:
    """`access` is "r" (read all), "m" (all), or what is permitted by collection. `expires`: when the token ends."""

    access: str | Mapping[str, str]
    expires: datetime | None

    def refuse(self, name: str, *, exists: bool, place: str) -> StoreError | None:
        """The error that writing to a collection would meet; None where the token permits it."""
        if self.expires is not None and self.expires <= datetime.now(UTC):
            return StoreRefused(
                f"The access token for {place[:1].lower()}{place[1:]} ended at {self.expires:%Y-%m-%d %H:%M} UTC.",
                "Set CONSOLE_STORE_API_KEY to a new token and start again.",
            )
        if isinstance(self.access, str):
            if self.access != READ:
                return None
            what = "may read and not write"
        elif not exists:
            what = f'may not make the collection "{name}": it is for some collections only'
        elif self.access.get(name) in _WRITES:
            return None
        else:
            what = f'may not write to the collection "{name}"'
        return StoreRefused(
            f"The access token for {place[:1].lower()}{place[1:]} {what}.",
            'Set CONSOLE_STORE_API_KEY to a key or token with the access "m" and start again.',
        )


def claimed(key: str) -> Claims | None:
    """What a key says of itself; None where it is not an access token, or not one of Qdrant's."""
    parts = key.split(".")
    if len(parts) != 3:
        return None
    try:
        body = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        access, ends = body.get("access", MANAGE), body.get("exp")
        expires = None if ends is None else datetime.fromtimestamp(float(ends), UTC)
        return Claims(access if isinstance(access, str) else _by_collection(access), expires)
    except (ValueError, AttributeError, KeyError, TypeError, OverflowError):
        return None


def _by_collection(rules: Any) -> dict[str, str]:
    return {str(rule["collection"]): str(rule["access"]) for rule in rules}

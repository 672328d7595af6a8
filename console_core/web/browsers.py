"""Which browser it is: a random mark in a cookie. It keeps people apart who share a console, and proves nothing."""

import hashlib
import secrets

from starlette.types import Message, Scope

COOKIE = "console_browser"
_LONG = 366 * 24 * 3600


def marked(message: Message, scope: Scope) -> Message:
    """The beginning of a page's answer, with a mark for a browser that has none."""
    kind = next((value for name, value in message.get("headers", ()) if name.lower() == b"content-type"), b"")
    if not kind.startswith(b"text/html") or mark_in(_sent(scope)):
        return message
    secure = "; Secure" if scope.get("scheme") == "https" else ""
    cookie = f"{COOKIE}={secrets.token_hex(16)}; Path=/; Max-Age={_LONG}; HttpOnly; SameSite=Lax{secure}"
    return {**message, "headers": [*message.get("headers", ()), (b"set-cookie", cookie.encode())]}


def mark_in(cookies: str) -> str:
    """The mark in a `Cookie` header, "" without one."""
    pairs = (part.strip().partition("=") for part in cookies.split(";"))
    return next((value for name, _, value in pairs if name == COOKIE), "")


def known_as(mark: str) -> str:
    """What the ledger calls the browser with this mark: nobody can make the cookie from it."""
    return hashlib.sha256(mark.encode()).hexdigest()[:16]


def _sent(scope: Scope) -> str:
    return "; ".join(value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie")

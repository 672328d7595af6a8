"""What every request must pass: a known host, the same origin, and no door into Streamlit's internals."""

from urllib.parse import urlsplit

from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console_core.settings import allowed_hosts
from console_core.web.browsers import marked
from console_core.web.waiting import WaitsForConsole

BLOCKED = ("/_stcore/agent", "/_stcore/metrics")
"""Streamlit's agent interface and its own metrics ask for no permission."""

CSP = "; ".join(
    (
        "default-src 'self'",
        # Streamlit's charts compile expressions; its page has an inline script.
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' 'wasm-unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "frame-ancestors 'none'",
        "base-uri 'self'",
        "form-action 'self'",
    )
)

HEADERS = (
    (b"content-security-policy", CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
)


class EdgeGuard:
    """Refuses websockets from other origins (a missing origin is another one), adds security headers, and marks
    browsers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and not _same_origin(scope):
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message.get("headers", ())}
                added = [(name, value) for name, value in HEADERS if name not in present]
                message = marked({**message, "headers": [*message.get("headers", ()), *added]}, scope)
            await send(message)

        blocked = scope["path"].startswith(BLOCKED)
        app = PlainTextResponse("not found", 404) if blocked else self.app
        await app(scope, receive, send_with_headers)


def _same_origin(scope: Scope) -> bool:
    headers = dict(scope["headers"])
    origin, host = (headers.get(name, b"").decode("latin-1") for name in (b"origin", b"host"))
    return bool(host) and urlsplit(origin).netloc == host


MIDDLEWARE = [
    Middleware(TrustedHostMiddleware, allowed_hosts=list(allowed_hosts())),
    Middleware(EdgeGuard),
    Middleware(WaitsForConsole),
]

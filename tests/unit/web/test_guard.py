"""What every request must pass."""

from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from console_core.settings import allowed_hosts
from console_core.web.browsers import COOKIE, known_as, mark_in
from console_core.web.guard import MIDDLEWARE


async def _page(request: Request) -> Response:
    return HTMLResponse("page") if request.url.path == "/" else PlainTextResponse("part")


async def _socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text("hello")
    await websocket.close()


@pytest.fixture(name="client")
def _client() -> Iterator[TestClient]:
    inside = [WebSocketRoute("/_stcore/stream", _socket), Route("/{path:path}", _page)]
    with TestClient(Starlette(routes=inside, middleware=MIDDLEWARE), base_url="http://127.0.0.1:8501") as client:
        yield client


def test_pages_carry_the_security_headers(client: TestClient) -> None:
    headers = client.get("/").headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "connect-src 'self'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


def test_a_browser_is_marked_by_the_first_page_once_and_the_ledger_does_not_know_the_mark(client: TestClient) -> None:
    assert "set-cookie" not in client.get("/part").headers
    told = client.get("/").headers["set-cookie"]
    assert "HttpOnly; SameSite=Lax" in told
    assert "Secure" not in told
    mark = client.cookies[COOKIE]
    assert "set-cookie" not in client.get("/").headers
    assert mark_in(f"other=1; {COOKIE}={mark}; {COOKIE}x=2") == mark
    assert mark_in("other=1") == ""
    assert known_as(mark) == known_as(mark) != known_as(mark[1:])
    assert known_as(mark) not in told


@pytest.mark.parametrize("path", ["/_stcore/metrics", "/_stcore/agent", "/_stcore/agent/v1/apps"])
def test_streamlits_open_doors_are_shut(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_forged_host_is_refused(client: TestClient) -> None:
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400


def test_a_websocket_of_the_same_origin_is_accepted(client: TestClient) -> None:
    headers = {"host": "127.0.0.1:8501", "origin": "http://127.0.0.1:8501"}
    with client.websocket_connect("/_stcore/stream", headers=headers) as socket:
        assert socket.receive_text() == "hello"


@pytest.mark.parametrize("headers", [{}, {"origin": "http://evil.example"}, {"origin": "http://127.0.0.1:8502"}])
def test_a_websocket_of_another_or_no_origin_is_refused(client: TestClient, headers: dict[str, str]) -> None:
    sent = {"host": "127.0.0.1:8501", **headers}
    with pytest.raises(WebSocketDisconnect) as refused, client.websocket_connect("/_stcore/stream", headers=sent):
        pass
    assert refused.value.code == 1008


def test_further_hosts_come_from_the_environment() -> None:
    assert allowed_hosts({}) == ("127.0.0.1", "localhost")
    assert allowed_hosts({"CONSOLE_ALLOWED_HOSTS": "console.example, ,b"})[2:] == ("console.example", "b")

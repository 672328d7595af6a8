"""A browser's tab without the browser: it speaks Streamlit's websocket protocol and counts what it is sent."""

import asyncio
import json
import re
import time
from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlencode

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

Query = Mapping[str, str | Sequence[str]]
PATIENCE = 120.0
_THUMBNAIL = re.compile(rb"/thumb/[\w/-]+\?[\w=&%.-]+")
_WIDGET = re.compile(rb"\$\$ID-[0-9a-f]+-([\w-]+)")
_TRIGGER = "$$STREAMLIT_INTERNAL_KEY_{}__events"
"""Under what a component's own element, by its id, says what happened in it."""


class PageBroken(RuntimeError):
    """The page showed an error, so that its time means nothing."""


@dataclass
class Answer:
    """What one run of the script sent. `seconds` until it had finished; `fragments` tick every so many seconds."""

    seconds: float = 0.0
    bytes: int = 0
    messages: int = 0
    thumbnails: int = 0
    fragments: dict[str, float] = field(default_factory=dict)


class Visitor:
    """One session. `thumbnails` are the addresses of all pictures that it was told to show."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._socket: Any = None
        self._pages: dict[str, str] = {}
        self._kept: set[str] = set()
        self._page, self._query = "", ""
        self._widgets: dict[str, str] = {}
        self.thumbnails: set[str] = set()

    async def __aenter__(self) -> Self:
        self._socket = await websockets.connect(
            f"{self._url.replace('http', 'ws', 1)}/_stcore/stream",
            subprotocols=[websockets.Subprotocol("streamlit")],
            origin=websockets.Origin(self._url),
            max_size=None,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._socket.close()

    @property
    def pages(self) -> list[str]:
        """Names of the pages in the menu; known after the first one was opened."""
        return list(self._pages)

    async def open(self, page: str, query: Query | None = None) -> Answer:
        """Go to a page, as by a click on a link. A session begins with the first page of the menu, named ""."""
        self._page, self._query = page, urlencode(query or {}, doseq=True)
        return await self._run()

    @property
    def shown(self) -> list[str]:
        """Keys of the pictures that it was told to show."""
        told = {address.partition("?")[0].rpartition("/")[2] for address in self.thumbnails}
        return sorted(urlsafe_b64decode(f"{key}{'=' * (-len(key) % 4)}").decode() for key in told)

    async def enter(self, key: str, text: str) -> Answer:
        """Type into the field of this key, which the page drew before."""
        return await self._run(widget=WidgetState(id=self._widgets[key], string_value=text))

    def knows(self, key: str) -> bool:
        """Whether a field or a button of this key was drawn so far."""
        return key in self._widgets

    async def press(self, key: str) -> Answer:
        """Press the button of this key, which the page drew before."""
        return await self._run(widget=WidgetState(id=self._widgets[key], trigger_value=True))

    async def refresh(self) -> Answer:
        """Let the page be drawn again."""
        return await self._run()

    async def pick(self, key: str, picture: str) -> Answer:
        """Click a picture in the gallery of this key."""
        told = json.dumps([{"event": "picked", "value": picture}])
        return await self._run(widget=WidgetState(id=_TRIGGER.format(self._widgets[key]), json_trigger_value=told))

    async def tick(self, fragment: str) -> Answer:
        """Let a live part refresh itself."""
        return await self._run(fragment)

    async def _run(self, fragment: str = "", widget: WidgetState | None = None) -> Answer:
        request = BackMsg()
        state = request.rerun_script
        state.query_string, state.fragment_id, state.is_auto_rerun = self._query, fragment, bool(fragment)
        if widget is not None:
            state.widget_states.widgets.append(widget)
        state.cached_message_hashes.extend(self._kept)
        state.context_info.timezone, state.context_info.locale = "Europe/Berlin", "en-GB"
        state.context_info.url = f"{self._url}/{self._page}"
        if self._page in self._pages:
            state.page_script_hash = self._pages[self._page]
        else:
            state.page_name = self._page
        began = time.perf_counter()
        await self._socket.send(request.SerializeToString())
        answer = Answer()
        async with asyncio.timeout(PATIENCE):
            while not self._take(answer, await self._socket.recv()):
                pass
        answer.seconds = time.perf_counter() - began
        return answer

    def _take(self, answer: Answer, raw: bytes) -> bool:
        """Count one message; True for the one that ends the run."""
        message = ForwardMsg()
        message.ParseFromString(raw)
        answer.bytes += len(raw)
        answer.messages += 1
        kind = message.WhichOneof("type")
        if kind == "delta":
            shown = [found.decode() for found in _THUMBNAIL.findall(raw)]
            answer.thumbnails += len(shown)
            self.thumbnails.update(shown)
            self._widgets |= {found[1].decode(): found[0].decode() for found in _WIDGET.finditer(raw)}
            _refuse_errors(message)
        elif kind == "auto_rerun":
            answer.fragments[message.auto_rerun.fragment_id] = message.auto_rerun.interval
        elif kind == "navigation":
            self._pages = {page.url_pathname: page.page_script_hash for page in message.navigation.app_pages}
        elif kind == "page_not_found":
            raise PageBroken(f"There is no page {self._page}.")
        if message.metadata.cacheable:
            self._kept.add(message.hash)
        return kind == "script_finished" and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN


def _refuse_errors(message: ForwardMsg) -> None:
    element = message.delta.new_element
    if element.WhichOneof("type") == "exception":
        raise PageBroken(element.exception.message)
    if element.WhichOneof("type") == "alert" and "incident" in element.alert.body:
        raise PageBroken(element.alert.body)

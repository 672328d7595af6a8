"""What a judge's browser takes for a word, and all that reaches it."""

import re

from playwright.sync_api import WebSocket

from console_core.demo.cards import DEMO_CARDS
from tests.e2e.browsing import Tab

MODELS = [name for card in DEMO_CARDS for name in (card.key, card.title)]
NAMES = re.compile("|".join((r"images__[\w-]*", *MODELS)), re.IGNORECASE)
"""All that tells one of the two models from the other: names of their collections, their keys and titles."""


def seen(tab: Tab) -> None:
    """Wait until what is to be judged was on the screen for a moment, so that a key counts."""
    tab.page.wait_for_function(
        """() => [...document.querySelectorAll('.st-key-judging-keys *')].some(
            (one) => one.shadowRoot?.querySelector('.keys[data-open=true]'))"""
    )


def hold(tab: Tab, key: str, *, times: int = 30) -> None:
    """Keep a key down for as long as it repeats so many times, 30 a second."""
    for _ in range(times):
        tab.page.keyboard.down(key)
        tab.page.wait_for_timeout(33)
    tab.page.keyboard.up(key)


def everything(tab: Tab) -> list[str]:
    """What this tab asks for, and what goes over its websockets, from now on."""
    told: list[str] = []

    def note(frame: bytes | str) -> None:
        told.append(frame if isinstance(frame, str) else frame.decode("utf-8", "replace"))

    def watch(websocket: WebSocket) -> None:
        websocket.on("framereceived", note)
        websocket.on("framesent", note)

    tab.page.on("request", lambda request: told.append(request.url))
    tab.page.on("websocket", watch)
    return told


def content(tab: Tab) -> str:
    """The page as it is now, with what is in the shadow roots of its elements, and its address."""
    inside = """() => {
        const all = (root) => [...root.querySelectorAll('*')].flatMap(
            (one) => one.shadowRoot ? [one.shadowRoot.innerHTML, ...all(one.shadowRoot)] : [])
        return all(document).join(' ')
    }"""
    return " ".join((tab.page.content(), tab.page.evaluate(inside), tab.page.url))


def names_in(told: list[str]) -> set[str]:
    """What of it names a model or a collection."""
    return {found for text in told for found in NAMES.findall(text)}

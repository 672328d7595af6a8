"""A browser tab in which a person clicks and types, and that notes every host it talks to and every complaint."""

import os
import re
import shutil
from base64 import urlsafe_b64decode
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Request, expect

from tests.e2e.serving import Server

SIZE = {"width": 1440, "height": 900}
PATIENCE = 180_000
"""Milliseconds that anything may take, a whole build too: the machine may be busy with something else."""
READY = '[data-testid="stApp"][data-test-script-state="notRunning"]'
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
SHOTS = Path(__file__).with_name("screenshots")
Scheme = Literal["light", "dark"]
_TALLEST = 3000
_PASSING = '[data-testid^="stToast"] { visibility: hidden }'
"""Messages that pass by hide what is below them; pictures are taken without."""
_PROBE = re.compile(r"/_stcore/(health|host-config)$")
"""Where Streamlit's own script looks for its base path under a deep link; two of these answer 404."""
_THUMB = re.compile(r"/thumb/\w+/([\w-]+)")
_ASKED_AGAIN = re.compile(r"^st-bidi-embedding_console_gallery-\w+\.js$")
"""What Chromium names instead of a thumbnail whose absence it has in memory, and complained of before."""


def chromium() -> str | None:
    """The path of the browser: CHROMIUM, or the one that is installed."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


@dataclass
class Tab:
    """One tab. `hosts` are those it talked to; `complaints` are errors of its console.

    `blank` are the keys of pictures that have no thumbnail. The browser complains of them; whether it may is for the
    test to say.
    """

    context: BrowserContext
    server: Server
    page: Page = field(init=False)
    hosts: set[str] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)
    blank: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._new_page()

    def reopen(self) -> None:
        """Close the tab, and open an empty one in the same browser."""
        self.page.close()
        self._new_page()

    def _new_page(self) -> None:
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.page.on("request", self._note)
        self.page.on("console", self._complain)
        self.page.on("websocket", lambda websocket: self.hosts.add(urlsplit(websocket.url).netloc))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob"):
            self.hosts.add(address.netloc)

    def _complain(self, message: ConsoleMessage) -> None:
        address = message.location["url"]
        if message.type != "error" or _PROBE.search(address):
            return
        if _ASKED_AGAIN.search(address) and "Failed to load resource" in message.text:
            return
        if picture := _THUMB.search(address):
            self.blank.add(urlsafe_b64decode(picture[1] + "==").decode())
        else:
            self.complaints.append(f"{message.text} ({address})")

    def open(self, path: str = "/") -> None:
        """As typed into the address bar."""
        self.page.goto(self.server.url + path if path.startswith("/") else path)
        self.wait()

    def wait(self) -> None:
        """Until the script has run and the page shows it."""
        self.page.wait_for_selector(READY, timeout=PATIENCE)
        self.page.wait_for_timeout(300)
        self.page.wait_for_selector(READY, timeout=PATIENCE)

    @property
    def main(self) -> Locator:
        """The page beside the menu."""
        return self.page.get_by_test_id("stMain")

    @property
    def text(self) -> str:
        """What the page says."""
        return self.main.inner_text()

    def menu(self, title: str) -> None:
        """Go to a page by its name in the menu."""
        self.page.get_by_test_id("stSidebarNav").get_by_role("link", name=re.compile(rf"\b{title}$")).click()
        self.page.get_by_role("heading", name=title, exact=True, level=1).wait_for()
        self.wait()

    def click(self, name: str | re.Pattern[str], *, within: str = "") -> None:
        """Press a button, or follow a link, by what it says; `within` is a key of a container."""
        self.named(name, within=within).click()
        self.wait()

    def named(self, name: str | re.Pattern[str], *, within: str = "") -> Locator:
        """The first visible button or link that says this."""
        place = self.page.locator(f".st-key-{within}") if within else self.page.locator("body")
        said = name if isinstance(name, re.Pattern) else re.compile(rf"^{re.escape(name)}( Shortcut \S+)?$")
        return place.get_by_role("button", name=said).or_(place.get_by_role("link", name=said)).first

    def says(self, text: str | re.Pattern[str]) -> Locator:
        """Wait until the page says this, in one element."""
        found = self.main.get_by_text(text).first
        found.wait_for()
        return found

    def says_in_all(self, text: str | re.Pattern[str]) -> None:
        """Wait until the page says this, in one or several elements."""
        expect(self.main).to_contain_text(text)

    def row(self, said: str) -> None:
        """Click the row of a table that has a cell with exactly this text, on that cell's column."""
        exactly = re.compile(rf"^{re.escape(said)}$")
        cell = self.main.get_by_test_id("stDataFrame").locator("[role=gridcell]", has_text=exactly).first
        cell.wait_for(state="attached")
        canvas = cell.locator("xpath=ancestor::canvas")
        canvas.scroll_into_view_if_needed()
        box, rows = canvas.bounding_box(), canvas.locator("[role=row]").count()
        place = cell.evaluate("cell => Number(cell.parentElement.getAttribute('aria-rowindex'))")
        assert box is not None
        self.page.mouse.click(box["x"] + 90, box["y"] + box["height"] / rows * (place - 0.5))
        self.wait()

    def shoot(self, name: str) -> None:
        """The whole page must be sound, with all of its pictures. With SCREENSHOTS=1 in the environment it also has to
        follow the system's colours, and is kept in light and in dark, as NAME-light.png and NAME-dark.png."""
        self.shows_no_trace()
        self._stretch()
        if os.environ.get("SCREENSHOTS"):
            for scheme in ("light", "dark"):
                self.wear(scheme)
                SHOTS.mkdir(exist_ok=True)
                self.page.wait_for_timeout(150)
                self.page.screenshot(path=SHOTS / f"{name}-{scheme}.png", animations="disabled", style=_PASSING)
            self.wear("light")
        self.page.set_viewport_size(SIZE)  # type: ignore[arg-type]

    def wear(self, scheme: Scheme) -> None:
        """Change the colours of the system, which the page follows."""
        self.page.emulate_media(color_scheme=scheme)
        colour = "rgb(255, 255, 255)" if scheme == "light" else "rgb(14, 20, 27)"
        expect(self.page.get_by_test_id("stApp")).to_have_css("background-color", colour)

    def shows_no_trace(self) -> None:
        """No Python error and no incident is on the page."""
        text = self.page.locator("body").inner_text()
        assert "Traceback" not in text
        assert "incident" not in text
        assert self.page.get_by_test_id("stException").count() == 0

    def _stretch(self) -> None:
        """Make the window as high as the page, and wait for its pictures."""
        height = self.main.evaluate("main => main.scrollHeight")
        self.page.set_viewport_size({"width": SIZE["width"], "height": min(max(height, SIZE["height"]), _TALLEST)})
        self.page.wait_for_timeout(400 if os.environ.get("SCREENSHOTS") else 100)
        self.page.wait_for_function(
            """() => {
                const seen = (root) => [...root.querySelectorAll('*')].flatMap(
                    (one) => [one, ...(one.shadowRoot ? seen(one.shadowRoot) : [])])
                return seen(document).every((one) => one.tagName !== 'IMG' || one.complete || !one.checkVisibility())
            }""",
            timeout=PATIENCE,
        )


Browse = Callable[..., AbstractContextManager[Tab]]

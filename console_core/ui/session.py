"""What belongs to one visitor: the Console, who they are, messages for their next page, and the address bar."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, Literal
from zoneinfo import ZoneInfo

import streamlit as st

from console_core.commands import Actor, command
from console_core.console import Console
from console_core.errors import ConsoleError
from console_core.ui import words
from console_core.web import process
from console_core.web.browsers import known_as, mark_in
from console_core.web.incidents import incident as incident

_FLASH, _BROWSER = "_flash", "_browser"
NOBODY = "somebody who is not signed in"


def console() -> Console:
    """The process's Console; says that it is opening while that takes.

    Raises:
        ConsoleError: it cannot be opened. `frame.page` shows it.
    """
    if (opened := process.opened()) is not None:
        return opened
    with st.spinner("Opening the workspace…"):
        return process.console()


def actor() -> Actor:
    """Who acts: who signed in at the proxy, where the settings name its header; else the name of the settings, which is
    everybody's. The role is that of the settings; who should have signed in and did not only looks."""
    settings = console().settings
    if not settings.actor_header:
        return Actor(settings.actor, settings.role)
    name = words.one_line(_sent(settings.actor_header))
    return Actor(name, settings.role, known=True) if name else Actor(NOBODY, "viewer")


def browser() -> str:
    """What the ledger calls this browser: the same after a reload, and for each browser another."""
    mark = mark_in(_sent("Cookie")) or st.session_state.setdefault(_BROWSER, secrets.token_hex(16))
    return known_as(mark)


def _sent(header: str) -> str:
    """A header of the request that this visit began with."""
    value = st.context.headers.get(header, "")
    try:
        return value.encode("latin-1").decode()  # names in UTF-8 come as Latin-1
    except UnicodeError:
        return value


def act(name: str, /, *, done: str | Callable[[Any], str] = "", **arguments: Any) -> Any:
    """One command in the visitor's name, for `on_click=` or a button's branch.

    Success is told by a toast (`done`, or what it makes of the answer); an error is told with its remedy, and None
    is returned. What is told appears on the next run: call `st.rerun()` where this is not a callback.
    """
    try:
        answer = command(console(), actor(), name, **arguments)
    except ConsoleError as error:
        flash(error.message, error.remedy, kind="error")
        return None
    except Exception as error:
        number = incident(f"command {name}", error)
        flash(f"This did not work (incident {number}).", "The server's log says why, under this number.", kind="error")
        return None
    if text := done if isinstance(done, str) else done(answer):
        flash(text)
    return answer


@dataclass(frozen=True, slots=True)
class _Flash:
    text: str
    remedy: str
    kind: Literal["done", "error"]


def flash(text: str, remedy: str = "", *, kind: Literal["done", "error"] = "done") -> None:
    """Say something on the next run, whatever page that is: done as a toast, an error as a panel."""
    st.session_state.setdefault(_FLASH, []).append(_Flash(text, remedy, kind))


def show_flashes() -> None:
    """Show what was kept for this run."""
    for message in st.session_state.pop(_FLASH, ()):
        if message.kind == "done":
            st.toast(words.plain(message.text), icon=":material/check:")
        else:
            title = words.plain(message.text)
            st.error(words.plain(message.remedy) or "Nothing was changed.", title=title, icon=":material/error:")


def zone() -> tzinfo:
    """The visitor's time zone, as their browser says."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ValueError, OSError, KeyError):
        return UTC


def when(at: datetime | None) -> str:
    """Relative and absolute time, in the visitor's zone."""
    return words.when(at, zone=zone())


def parameter(name: str, allowed: Sequence[str] | None = None, default: str = "") -> str:
    """A query parameter of the address; the default where it is absent or not allowed."""
    value = st.query_params.get(name, default)
    return value if allowed is None or value in allowed else default


def set_parameters(**values: str | None) -> None:
    """Write query parameters, so that the address can be shared; None or "" removes one."""
    for name, value in values.items():
        if value:
            st.query_params[name] = value
        else:
            st.query_params.pop(name, None)

"""What an address asks for and a page cannot restore. Nothing of it is left out without a word."""

from collections.abc import Collection, Iterable, Iterator

import streamlit as st

from console_core.ui import words
from console_core.ui.address import SHOW

TITLE = "Not all of this address can be shown"


def say(sentences: Iterable[str]) -> None:
    """One warning with all that is left out, and what is shown instead; nothing where all of it is there."""
    told = list(sentences)
    if told:
        st.warning("  \n".join(words.plain(sentence) for sentence in told), title=TITLE, icon=":material/link_off:")


def strangers(known: Collection[str], *, beginning: str = "") -> Iterator[str]:
    """The parameters of the address that this page knows nothing of; those that begin like `beginning` are known."""
    names = [name for name in st.query_params if name not in known and not (beginning and name.startswith(beginning))]
    if names:
        yield f"This page knows nothing of {', '.join(names)}."


def unopened(parts: Collection[str]) -> Iterator[str]:
    """What the address has open and is none of the parts of this page that can be."""
    if closed := [part for part in st.query_params.get_all(SHOW) if part not in parts]:
        yield f"There is no {', '.join(closed)} here that could be opened."


def one_of(name: str, allowed: Collection[str], instead: str) -> Iterator[str]:
    """Where a parameter is none of the values that can be shown: that, and what is shown instead."""
    said = st.query_params.get(name, "")
    if said and said not in allowed:
        yield f"There is no {name} {said} here: {instead}."


def whole_number(name: str, most: int, instead: str) -> Iterator[str]:
    """The same of a parameter that is a whole number from 1 to `most`."""
    said = st.query_params.get(name, "")
    if said and number(name, most) is None:
        yield f"{name} is a whole number from 1 to {most:,}, and not {said}: {instead}."


def number(name: str, most: int, *, least: int = 1) -> int | None:
    """A parameter that is a whole number from `least` to `most`; None where it is absent or is none."""
    said = st.query_params.get(name, "")
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 10 and least <= int(said) <= most else None

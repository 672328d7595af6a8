"""Under which names the address and the session have a question's parts."""

import streamlit as st

from console_core.ui.address import write_address
from console_core.ui.open_picture import OPEN

QUERY, WITHOUT, WEIGHT = "lab-query", "lab-without", "lab-weight"
COLUMNS, LIMIT, EXAMPLE = "lab-columns", "lab-limit", "lab-example"
FIELDS = {"q": QUERY, "not": WITHOUT, "weight": WEIGHT, "columns": COLUMNS, "limit": LIMIT}
"""What of a question the address has, by parameter, beside its picture (`like` or `picture`) and the filter."""
LIMITS = ("12", "24", "48")
EVEN = 50
"""The share of words, in percent, that have as much weight as a picture."""
_USUAL = {"limit": LIMITS[0], "weight": str(EVEN)}
MOST_COLUMNS = 4


def write(**others: str | None) -> None:
    """Ask what the fields say, and show no picture large. `others` are further parameters; None removes one. For
    callbacks."""
    write_address(FIELDS, usual=_USUAL, **{OPEN: None, **others})


def ask_like(key: str) -> None:
    """Ask for the neighbours of a picture next, and for nothing else. For `on_click`."""
    _only_by(like=key, picture=None)


def ask_with(digest: str) -> None:
    """Ask with a picture that was given, beside the words that are there. For callbacks."""
    write(like=None, picture=digest)


def without_picture() -> None:
    """Ask by the words alone. For `on_click`."""
    write(like=None, picture=None, weight=None)


def _only_by(**picture: str | None) -> None:
    st.session_state[QUERY], st.session_state[WITHOUT] = "", []
    write(weight=None, **picture)

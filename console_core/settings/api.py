"""Whoever may search over HTTP: [api]."""

from collections.abc import Mapping

from console_core.errors import SettingsError
from console_core.settings.section import Section

API = ("enabled", "token")
SHORTEST_TOKEN = 16
"""Characters that a token must have at least, so that nobody guesses it."""


def api_token(section: Section, environment: Mapping[str, str]) -> str:
    """What must be sent to search over HTTP; "" where nobody may: no token is set, or it is turned off.

    Raises:
        SettingsError: it could be guessed, or not be sent in a header.
    """
    if not section.truth("enabled", True):
        return ""
    text = environment.get("CONSOLE_API_TOKEN") or section.text("token")
    if text and (len(text) < SHORTEST_TOKEN or not text.isascii() or not text.isprintable() or " " in text):
        raise SettingsError(
            f"The token of the search API is shorter than {SHORTEST_TOKEN} characters, or is no plain text.",
            "Set CONSOLE_API_TOKEN, or [api] token, to the answer of: openssl rand -hex 32",
        )
    return text

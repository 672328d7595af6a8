"""The theme as Streamlit tells it to the browser: at the beginning of every run, ticks included, option by option.

That is a tenth of what a tick costs. The theme does not change while the server runs, so it is composed once.
"""

from collections.abc import Callable

from streamlit.proto.NewSession_pb2 import CustomThemeConfig
from streamlit.runtime import app_session

_COMPOSER = "_populate_theme_msg"

Composer = Callable[[CustomThemeConfig, str], None]


def compose_once() -> None:
    """Let Streamlit compose each section of the theme once. Where its private part has changed, nothing is done."""
    compose: Composer | None = getattr(app_session, _COMPOSER, None)
    if compose is not None and not isinstance(compose, _Once):
        setattr(app_session, _COMPOSER, _Once(compose))


class _Once:
    """Streamlit's composer with a memory for what it wrote, by section."""

    def __init__(self, compose: Composer) -> None:
        self._compose = compose
        self._composed: dict[str, CustomThemeConfig] = {}

    def __call__(self, msg: CustomThemeConfig, section: str = "theme") -> None:
        if section not in self._composed:
            composed = CustomThemeConfig()
            self._compose(composed, section)
            self._composed[section] = composed
        if self._composed[section].ByteSize():
            msg.MergeFrom(self._composed[section])

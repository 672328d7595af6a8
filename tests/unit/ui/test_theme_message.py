"""The theme that is composed once is the theme that Streamlit composes each time."""

import pytest
from streamlit import config
from streamlit.proto.NewSession_pb2 import CustomThemeConfig
from streamlit.runtime import app_session

from console_core.ui.theme_message import compose_once

SECTIONS = ("theme", "theme.light", "theme.dark", "theme.sidebar", "theme.light.sidebar", "theme.dark.sidebar")


def told() -> list[CustomThemeConfig]:
    messages = []
    for section in SECTIONS:
        message = CustomThemeConfig()
        app_session._populate_theme_msg(message, section)
        messages.append(message)
    return messages


@pytest.fixture(autouse=True)
def _own_composer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_session, "_populate_theme_msg", app_session._populate_theme_msg)
    config.get_config_options(force_reparse=True)  # those of this project


def test_the_browser_is_told_the_same_theme_the_first_time_and_again() -> None:
    before = told()
    assert before[1].primary_color
    compose_once()
    assert told() == before
    assert told() == before


def test_a_section_without_options_stays_absent() -> None:
    compose_once()
    session = CustomThemeConfig()
    app_session._populate_theme_msg(session.sidebar, "theme.sidebar")
    assert not session.HasField("sidebar")


def test_composing_once_twice_is_the_same_as_once() -> None:
    compose_once()
    first = app_session._populate_theme_msg
    compose_once()
    assert app_session._populate_theme_msg is first

"""What we rely on in Streamlit: hidden options exist, and no `pages/` lies beside the script."""

from pathlib import Path

import pytest
import streamlit as st

from console_core.ui import navigation

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("runner.postScriptGC", False),
        ("logger.hideWelcomeMessage", True),
        ("browser.gatherUsageStats", False),
        ("client.showErrorDetails", "none"),
        ("server.enableXsrfProtection", True),
        ("server.enableAgentApi", False),
        ("server.address", "127.0.0.1"),
    ],
)
def test_the_option_exists_and_has_the_value_that_was_chosen(option: str, value: object) -> None:
    assert st.get_option(option) == value


def test_the_theme_has_ten_chart_colours_in_both_modes() -> None:
    for mode in ("light", "dark"):
        assert len(set(st.get_option(f"theme.{mode}.chartCategoricalColors"))) == 10


def test_streamlit_finds_no_pages_folder_beside_its_script() -> None:
    assert not (ROOT / "console_core" / "ui" / "pages").exists()


def test_every_file_in_pages_is_in_the_menu_once() -> None:
    files = {file.stem for file in (ROOT / "pages").glob("*.py")}
    names = [page.name for page in navigation.PAGES]
    assert len(names) == len(set(names))
    assert files <= set(names)

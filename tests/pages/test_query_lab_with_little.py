"""The Query lab where there is little to ask."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

OpenPage = Callable[..., AppTest]
Said = Callable[[AppTest], str]


@pytest.mark.usefixtures("console")
def test_without_a_collection_it_says_what_has_to_be_there_first(open_page: OpenPage, said: Said) -> None:
    page = open_page("query_lab")
    assert not page.exception
    assert "Nothing can be asked yet" in said(page)
    assert not page.text_input


@pytest.mark.usefixtures("filled")
def test_one_collection_alone_leads_to_a_migration(open_page: OpenPage, said: Said) -> None:
    page = open_page("query_lab")
    assert not page.exception
    assert "A migration builds a second collection" in said(page)
    assert page.text_input(key="lab-query").value == ""


@pytest.mark.usefixtures("filled")
def test_without_captions_there_are_no_examples_and_it_waits_for_words(open_page: OpenPage, said: Said) -> None:
    page = open_page("query_lab")
    assert not page.pills
    assert "Ask for a picture" in said(page)

"""Losses on a collection's page: measured by a click, told in words with their date, and again where it changed."""

import time
from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from console_core.commands import command
from console_core.console import Console
from console_core.judging.query_sets import query
from console_core.runs.types import RunState
from console_core.vectorstore.types import ModelStamp
from tests.conftest import OPERATOR, PICTURES

OpenPage = Callable[..., AppTest]
Said = Callable[[AppTest], str]
NAME = "images__demo-clip"


def test_a_click_measures_with_a_query_set_and_the_newest_result_stands_there_in_words(
    small: Console, open_page: OpenPage, said: Said
) -> None:
    command(small, OPERATOR, "save_query_set", query_set="squares", queries=[query("square 1"), query("square 2")])
    page = open_page("collections", collection=NAME)
    assert "Not measured yet" in said(page)
    page.selectbox(key="losses-set").select("squares").run()
    page.button(key="measure-losses").click().run()
    assert not page.exception

    (run,) = small.ledger.runs(kinds=("losses",))
    until = time.monotonic() + 20
    while small.ledger.get(run.id).state is not RunState.SUCCEEDED:
        assert time.monotonic() < until
        time.sleep(0.01)
    page = open_page("collections", collection=NAME)

    assert "Of 100 nearest pictures for texts none is lost." in said(page)
    assert f"{PICTURES + 2} queries, the 10 nearest of each · texts: query set squares v1" in said(page)
    assert page.button(key="measure-losses").label == "Measure again"
    small.store.stamp(NAME, ModelStamp("demo-clip", "0123456789ab"))
    assert "made by another model since" in said(open_page("collections", collection=NAME))

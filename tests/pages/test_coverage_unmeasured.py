"""Coverage before there is anything to show."""

import time
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from console_core.console import Console
from console_core.runs.types import TERMINAL, Run

OpenPage = Callable[..., AppTest]
Said = Callable[[AppTest], str]


def _finished(console: Console, run: Run) -> Run:
    deadline = time.monotonic() + 20
    while (now := console.ledger.get(run.id)).state not in TERMINAL:
        assert time.monotonic() < deadline, f"{now.title} is {now.state}: {now.reason}"
        time.sleep(0.02)
    return now


@pytest.mark.usefixtures("console")
def test_an_empty_store_is_explained(open_page: OpenPage, said: Said) -> None:
    assert "The store is empty" in said(open_page("coverage"))


@pytest.mark.usefixtures("filled")
def test_a_collection_that_was_never_measured_says_what_to_do_and_does_it(
    filled: Console, open_page: OpenPage, said: Said
) -> None:
    page = open_page("coverage")
    assert "was never measured" in said(page)
    page.button(key="first-measurement").click().run()
    assert not page.exception
    (run,) = filled.ledger.runs(kinds=("coverage",))
    assert _finished(filled, run).state == "succeeded"
    page.run()
    figures = {metric.label: metric.value for metric in page.metric}
    assert (figures["Coverage"], figures["Missing"], figures["Orphaned"]) == ("0%", "6", "6")

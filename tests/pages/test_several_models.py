"""Several models in the wizard: chosen together, each with its own preflight and migration, begun with one button."""

import time
from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from console_core.console import Console
from console_core.migration.records import Stage
from tests.conftest import PICTURES

OpenPage = Callable[..., AppTest]
Said = Callable[[AppTest], str]
CHOSEN = {"view": "new", "served": "images", "model": "demo-siglip"}


def test_a_further_model_is_added_below_the_first_and_one_button_starts_both(
    small: Console, open_page: OpenPage, said: Said
) -> None:
    page = open_page("migrations", **CHOSEN)
    assert page.button(key="start").label == "Start building"
    page.multiselect(key="wizard-also").set_value(["demo-clip"]).run()
    assert not page.exception
    assert page.query_params["also"] in ("demo-clip", ["demo-clip"])
    assert [one.value for one in page.subheader][-2:] == ["Demo SigLIP", "Demo CLIP"]
    assert "Each picture is read and decoded once for both models." in said(page)
    assert page.button(key="start").label == "Start both builds"
    page.button(key="start").click().run()
    assert not page.exception
    deadline = time.monotonic() + 60
    while any(one.stage is Stage.BUILDING for one in small.standings(small.migrations.all())):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    builds = small.ledger.runs(kinds=("reembed",))
    assert [(run.target, run.counts.done) for run in reversed(builds)] == [
        ("images__demo-siglip", PICTURES),
        ("images__demo-clip-2", PICTURES),
    ]
    page.run()
    told = said(page).replace("\\", "")
    assert "together with demo-clip" in told
    assert "together with demo-siglip" in told


def test_further_models_are_in_the_address_and_one_that_nobody_knows_is_left_out(
    small: Console, open_page: OpenPage
) -> None:
    page = open_page("migrations", **CHOSEN, also="no-such-model")
    assert not page.exception
    assert page.multiselect(key="wizard-also").value == []
    assert page.button(key="start").label == "Start building"


def test_where_one_model_is_blocked_nothing_starts_and_its_own_findings_say_why(
    small: Console, open_page: OpenPage, said: Said
) -> None:
    page = open_page("migrations", **CHOSEN, also="ViT-B-32/openai")
    assert not page.exception
    assert page.button(key="start").disabled
    assert "blocks the build" in said(page)
    assert "Settle what blocks; then the builds can start." in said(page)


def test_a_model_that_is_being_built_already_is_opened_instead(small: Console, open_page: OpenPage, said: Said) -> None:
    assert small.worker is not None
    small.worker.close()
    page = open_page("migrations", **CHOSEN, also="demo-clip")
    page.button(key="start").click().run()
    assert len(small.migrations.all()) == 2
    page = open_page("migrations", **{**CHOSEN, "model": "demo-clip"})
    assert page.button(key="open-instead").label == "Open that migration"

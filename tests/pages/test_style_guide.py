"""Every building block of the screen, drawn and used."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

GUIDE = Path(__file__).with_name("style_guide.py")


@pytest.fixture(name="guide")
def _guide() -> AppTest:
    return AppTest.from_file(str(GUIDE), default_timeout=20).run()


def test_every_building_block_is_drawn_without_an_error(guide: AppTest) -> None:
    assert not guide.exception
    assert guide.title[0].value == "Style guide"
    assert len(guide.get("plotly_chart")) == 3
    assert [metric.value for metric in guide.metric] == ["12,400", "97.3%", "842 pictures/s", "2–3 min"]


def test_charts_have_alternative_texts(guide: AppTest) -> None:
    assert all(chart.proto.alt for chart in guide.get("plotly_chart"))


def test_findings_come_the_gravest_first_and_their_text_is_not_markdown(guide: AppTest) -> None:
    said = [element.value for element in guide.markdown]
    places = [next(i for i, text in enumerate(said) if part in text) for part in ("512 dim", "About 1", "images")]
    assert places == sorted(places)
    assert any("\\*images\\*" in text for text in said)


def test_a_store_that_does_not_answer_is_a_panel_with_a_remedy_and_a_way_to_try_again(guide: AppTest) -> None:
    (panel,) = guide.error
    assert panel.value == "Start Qdrant, then try again."
    assert guide.button(key="try-again-store-panel").label == "Try again"


def test_a_grave_act_asks_for_the_name_and_happens_once_it_is_typed(guide: AppTest) -> None:
    guide.button(key="cut-over").click().run()
    assert guide.button(key="confirm-do").disabled
    guide.text_input(key="confirm-typed").set_value("image").run()
    assert guide.button(key="confirm-do").disabled
    guide.text_input(key="confirm-typed").set_value("images").run()
    guide.button(key="confirm-do").click().run()
    assert "The alias has moved." in [caption.value for caption in guide.caption]
    assert "confirm-do" not in [button.key for button in guide.button]


def test_a_question_that_is_put_off_does_nothing(guide: AppTest) -> None:
    guide.button(key="cut-over").click().run()
    guide.button(key="confirm-keep").click().run()
    assert "The alias has moved." not in [caption.value for caption in guide.caption]
    assert "confirm-do" not in [button.key for button in guide.button]

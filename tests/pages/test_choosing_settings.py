"""Index and quantization are chosen by clicks and shown afterwards as the store has them; .env files are imported."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from console_core import settings
from console_core.console import Console
from console_core.migration.plan import MigrationPlan
from console_core.vectorstore.tuning import USUAL, settings_of
from console_core.web import process
from tests.conftest import PICTURES, fill, make_workspace

OpenPage = Callable[..., AppTest]
Said = Callable[[AppTest], str]
INT8 = {"type": "int8", "quantile": 0.99, "always_ram": True}
OWN, AS_FORMER = "Of its own", "As the former collection"
CHOSEN = {"view": "new", "served": "images", "model": "demo-siglip"}


@pytest.fixture(name="on_edge")
def _on_edge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
    """The process's Console with a worker, on the store that has an index and quantization."""
    folder = make_workspace(tmp_path / "edge")
    file = folder / settings.FILE
    file.write_text(file.read_text().replace("local:qdrant", "edge:qdrant-edge"))
    monkeypatch.setenv("CONSOLE_WORKSPACE", str(folder))
    monkeypatch.setenv("CONSOLE_ACTOR", "olga")
    process.stop()
    process.start()
    fill(process.console(), "images__demo-clip", "demo-clip", alias="images")
    yield process.console()
    process.stop()


def facts(page: AppTest) -> dict[str, str]:
    """Names and values of all tables of two columns, as plain text."""
    tables = [table.value for table in page.table if len(table.value.columns) == 1]
    return {
        str(name).replace("\\", ""): str(row.iloc[0]).replace("\\", "")
        for table in tables
        for name, row in table.iterrows()
    }


def built(page: AppTest) -> AppTest:
    until = time.monotonic() + 60
    while "verify" not in {button.key for button in page.button}:
        assert time.monotonic() < until
        time.sleep(0.1)
        page.run()
    return page


def address(page: AppTest, name: str) -> str:
    value = page.query_params.get(name, "")
    return value if isinstance(value, str) else value[-1]


def test_settings_chosen_by_clicks_are_in_the_plan_in_the_store_and_on_the_pages_afterwards(
    on_edge: Console, open_page: OpenPage, said: Said
) -> None:
    page = open_page("migrations", view="new")
    page.button(key="served-images").click().run()
    page.button(key="model-demo-siglip").click().run()
    assert page.radio(key="wizard-tuning-place").value == AS_FORMER
    assert "Index and quantization settings of images__demo-clip are taken over" in said(page).replace("\\", "")
    page.radio(key="wizard-tuning-place").set_value(OWN).run()
    assert not page.exception
    assert page.number_input(key="wizard-tuning-m").value == 16
    assert page.number_input(key="wizard-tuning-ef_construct").value == 100
    assert page.selectbox(key="wizard-tuning-quantization").value == "int8"
    assert page.number_input(key="wizard-tuning-quantile").value == 0.99
    assert page.toggle(key="wizard-tuning-ram").value is True
    told = said(page).replace("\\", "")
    assert (
        "The new collection gets HNSW, m 16, ef_construct 100, full_scan_threshold 10,000; quantization: INT8" in told
    )
    assert "rescore: true, oversampling: 2.0" in told
    page.number_input(key="wizard-tuning-m").set_value(24).run()
    assert (address(page, "m"), address(page, "ef"), address(page, "quantization")) == ("24", "100", "int8")
    page.button(key="start").click().run()
    page = built(page)
    (run,) = on_edge.ledger.runs(kinds=("reembed",))
    plan = MigrationPlan.from_json(run.spec)
    assert (plan.index["m"], plan.index["ef_construct"], plan.quantization) == (24, 100, INT8)
    info = on_edge.store.describe(run.target)
    assert (info.index["m"], info.index["ef_construct"], info.quantization) == (24, 100, INT8)
    assert info.points == PICTURES
    for shown in (facts(page), facts(open_page("collections", collection=run.target))):
        assert shown["Index"] == "HNSW, m 24, ef_construct 100, full_scan_threshold 10,000"
        assert shown["Quantization"] == "INT8, quantile 0.99, always in memory"


def test_each_value_is_kept_in_the_address_and_going_back_to_the_former_forgets_them(
    small: Console, open_page: OpenPage
) -> None:
    page = open_page("migrations", **CHOSEN, m="32", quantization="int8", quantile="0.95", ef="nonsense")
    assert page.radio(key="wizard-tuning-place").value == OWN
    assert page.number_input(key="wizard-tuning-m").value == 32
    assert page.number_input(key="wizard-tuning-ef_construct").value == USUAL.index["ef_construct"]
    assert page.number_input(key="wizard-tuning-quantile").value == 0.95
    page.toggle(key="wizard-tuning-ram").set_value(True).run()
    assert address(page, "ram") == "1"
    page.number_input(key="wizard-tuning-quantile").set_value(0.9).run()
    assert address(page, "quantile") == "0.9"
    page.selectbox(key="wizard-tuning-quantization").set_value("none").run()
    assert (address(page, "quantization"), address(page, "ram"), address(page, "m")) == ("none", "", "32")
    page.radio(key="wizard-tuning-place").set_value(AS_FORMER).run()
    assert not {"m", "ef", "quantization", "quantile", "ram"} & set(page.query_params)
    page = open_page("migrations", **CHOSEN, m="9999", quantization="int8")
    assert page.radio(key="wizard-tuning-place").value == AS_FORMER, "an address out of range is passed over"
    assert not page.exception


def test_a_store_that_only_notes_them_says_so_before_and_afterwards(
    small: Console, open_page: OpenPage, said: Said
) -> None:
    page = open_page("migrations", **CHOSEN)
    page.radio(key="wizard-tuning-place").set_value(OWN).run()
    told = said(page).replace("\\", "")
    assert "This store (Qdrant, embedded) only notes these settings" in told
    assert (
        "Qdrant, embedded does not have these settings and only notes them: HNSW, m 16, ef_construct 100; INT8" in told
    )
    page.button(key="start").click().run()
    page = built(page)
    (run,) = small.ledger.runs(kinds=("reembed",))
    assert settings_of(small.store.describe(run.target)) == (USUAL.index, INT8)
    for shown in (facts(page), facts(open_page("collections", collection=run.target))):
        assert shown["Index"].startswith("none in force: every search compares all vectors (asked for: HNSW, m 16")
        assert shown["Quantization"] == "none (asked for: INT8, quantile 0.99, always in memory)"


def test_lines_of_an_env_file_are_taken_over_by_the_wizard_and_answered_for(
    small: Console, open_page: OpenPage, said: Said
) -> None:
    page = open_page("migrations", view="new", served="images")
    text = "SIGLIP_MODEL_NAME=demo-siglip\nSIGLIP_COLLECTION=image_assets_siglip\nGPU_BATCH_SIZE=8\nUSE_SIGLIP=true\n"
    page.text_area(key="wizard-env-text").set_value(f"{text}TOKEN=hunter2\n").run()
    page.button(key="wizard-env-import").click().run()
    assert not page.exception
    assert (address(page, "model"), address(page, "target"), address(page, "batch")) == (
        *("demo-siglip", "image_assets_siglip", "8"),
    )
    assert page.text_area(key="wizard-env-text").value == "", "what else stood in it is not kept"
    outcomes = {
        row["Variable"].split(" ")[0].replace("\\", ""): row["Outcome"]
        for table in page.table
        if "Variable" in table.value.columns
        for _, row in table.value.iterrows()
    }
    assert outcomes.keys() == {"SIGLIP_MODEL_NAME", "SIGLIP_COLLECTION", "GPU_BATCH_SIZE", "USE_SIGLIP"}
    assert "Not taken over" in outcomes["USE_SIGLIP"]
    assert "Builds **image_assets_siglip** beside" in said(page).replace("\\", "")
    assert "hunter2" not in str(page.session_state)


def test_a_wrong_line_leaves_the_draft_as_it_is_and_is_named(small: Console, open_page: OpenPage) -> None:
    page = open_page("migrations", view="new", served="images")
    page.text_area(key="wizard-env-text").set_value("SIGLIP_MODEL_NAME=demo-siglip\nGPU_BATCH_SIZE=lots\n").run()
    page.button(key="wizard-env-import").click().run()
    assert (address(page, "model"), address(page, "batch")) == ("", "")
    assert "GPU_BATCH_SIZE" in " ".join(str(error.proto) for error in page.error).replace("\\", "")


def test_a_new_collection_is_previewed_made_and_then_filled_by_a_migration(
    on_edge: Console, open_page: OpenPage, said: Said
) -> None:
    page = open_page("collections")
    page.button(key="new-collection").click().run()
    assert "Nothing to make yet" in said(page)
    page.text_input(key="new-name").set_value("prepared").run()
    page.selectbox(key="new-model").set_value("demo-siglip").run()
    page.selectbox(key="new-like").set_value("images__demo-clip").run()
    page.radio(key="new-tuning-place").set_value(OWN).run()
    assert not page.exception
    preview = facts(page)
    assert preview["Vectors"] == "192 numbers, cosine distance"
    assert preview["Index"] == "HNSW, m 16, ef_construct 100, full_scan_threshold 10,000"
    assert preview["Quantization"] == "INT8, quantile 0.99, always in memory"
    assert "prepared" not in {info.name for info in on_edge.store.collections()}, "a preview writes nothing"
    page.button(key="make-collection").click().run()
    assert not page.exception
    info = on_edge.store.describe("prepared")
    assert (info.points, info.index["m"], info.quantization) == (0, 16, INT8)
    assert address(page, "collection") == "prepared"
    assert facts(page)["Quantization"] == "INT8, quantile 0.99, always in memory"
    page.button(key="fill").click().run()
    assert (address(page, "target"), address(page, "model")) == ("prepared", "demo-siglip")
    page = open_page("migrations", view="new", target="prepared", model="demo-siglip")
    page.button(key="served-images").click().run()
    assert "prepared is there and empty, and its own settings are kept" in said(page).replace("\\", "")
    assert page.button(key="start").label == "Fill the gaps"


def test_what_cannot_be_made_is_said_in_the_preview_and_the_button_is_locked(
    small: Console, open_page: OpenPage, said: Said
) -> None:
    page = open_page("collections", view="new", called="images__demo-clip", model="demo-siglip")
    assert not page.exception
    assert "images__demo-clip exists already, with 48 points" in said(page).replace("\\", "")
    assert page.button(key="make-collection").disabled

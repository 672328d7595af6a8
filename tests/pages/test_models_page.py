"""The models by family, and a check that loads one."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from console_core import demo
from console_core.console import Console
from console_core.embedding.embedder import TorchEmbedder
from console_core.ui.models import model as opened
from console_core.vectorstore.types import CollectionSpec, ModelStamp
from console_core.web import process
from tests.conftest import make_workspace

OpenPage = Callable[..., AppTest]
Said = Callable[[AppTest], str]
DEMO_MODELS = Path(demo.__file__).parent / "models"


@pytest.fixture(name="workspace")
def _workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CONSOLE_WORKSPACE", str(tmp_path / "workspace"))
    workspace = make_workspace(tmp_path / "workspace", pictures=2)
    with (workspace / "console.toml").open("a") as file:
        file.write('[models.mine]\narchitecture = "local-dir:gone"\n[models.own]\narchitecture = "ViT-B-32"\n')
        file.write('weights = "w.safetensors"\ntitle = "Our own"\ntemplate = "a photo of {}"\n')
    (workspace / "w.safetensors").write_bytes(b"not a checkpoint")
    return workspace


@pytest.fixture(name="console")
def _console(workspace: Path) -> Iterator[Console]:
    process.stop()
    process.start()
    yield process.console()
    process.stop()


def tables(page: AppTest) -> str:
    return str([table.value.to_dict() for table in page.table])


def test_models_are_grouped_by_family_and_those_at_hand_lead(console: Console, open_page: OpenPage, said: Said) -> None:
    console.store.create("shelf", CollectionSpec(128, stamp=ModelStamp("demo-clip", "f")))
    page = open_page("models")
    assert not page.exception
    titles = [element.value for element in page.subheader]
    assert titles[:4] == ["Demo CLIP", "Demo SigLIP", "Our own", "In memory"]
    assert titles[4:] == ["CLIP", "SigLIP", "SigLIP 2", "MegaDescriptor", "Add a model"]
    frame = page.dataframe[1].value.set_index("Key")
    known = frame.loc["siglip-vit-l-16-256-webli"]
    assert (known["Architecture"], known["Dimension"], known["Picture"]) == ("ViT-L-16-SigLIP-256", 1024, 256)
    assert frame.loc["demo-siglip"]["Weights"] == "Packaged"
    assert known["Weights"] in {"Not looked for yet", "Not here"}
    assert "Add it under Connections" in str([getattr(link, "proto", "") for link in page.get("page_link")])


@pytest.mark.usefixtures("console")
def test_a_model_without_a_text_tower_is_shown_as_such_and_one_with_a_template_shows_it(open_page: OpenPage) -> None:
    page = open_page("models")
    shelf = page.dataframe[-1].value.set_index("Key")
    assert not shelf.loc["megadescriptor-l-384"]["Text"]
    page.session_state["family-MegaDescriptor-0"] = {"selection": {"rows": [], "columns": [], "cells": [(0, "Key")]}}
    page.run()
    assert "no, it embeds pictures only" in tables(page)
    assert "repository BVRA" in tables(page).replace("\\", "")
    assert "Text template" not in tables(page)
    del page.session_state[opened.STATE]
    page.button(key="open-own").click().run()
    assert "`a photo of {}`" in tables(page)


def test_a_model_of_console_toml_that_is_wrong_is_explained_beside_how_to_add_one(
    console: Console, open_page: OpenPage
) -> None:
    assert console.notices
    assert "models.mine" in str(open_page("models").error[0].proto).replace("\\", "")


@pytest.mark.usefixtures("console")
def test_a_check_loads_the_model_and_reports_what_was_loaded(console: Console, open_page: OpenPage, said: Said) -> None:
    page = open_page("models")
    page.button(key="open-demo-siglip").click().run()
    assert "`demo-siglip`" in tables(page)
    page.button(key="check-model").click().run(timeout=60)
    made = console.models.get("demo-siglip")
    assert "loaded in" in page.success[0].value
    assert "cpu" in page.success[0].value
    assert made.fingerprint.digest in tables(page)
    assert "Preprocessing" in tables(page)
    assert "demo-siglip" in console.models.resident()


@pytest.mark.usefixtures("console")
def test_a_model_that_cannot_be_loaded_says_why_and_what_to_do(open_page: OpenPage) -> None:
    page = open_page("models")
    page.button(key="open-own").click().run()
    page.button(key="check-model").click().run(timeout=60)
    assert not page.exception
    (refusal,) = (error for error in page.error if "copy it again" in error.value)
    assert "cannot be loaded" in str(refusal.proto)


@pytest.mark.usefixtures("console")
def test_a_clicked_row_opens_its_card_and_so_does_a_second_click(open_page: OpenPage) -> None:
    page = open_page("models")
    page.session_state["family-SigLIP-0"] = {"selection": {"rows": [], "columns": [], "cells": [(1, "Key")]}}
    page.run()
    assert "`siglip-vit-b-16-webli`" in tables(page)
    del page.session_state[opened.STATE]
    page.session_state["family-SigLIP-1"] = {"selection": {"rows": [], "columns": [], "cells": [(1, "Key")]}}
    assert "`siglip-vit-b-16-webli`" in tables(page.run())


def test_it_is_told_which_models_are_in_memory_and_what_happened_to_them(console: Console, open_page: OpenPage) -> None:
    page = open_page("models")
    assert any("No model is in memory" in caption.value for caption in page.caption)
    assert any("after 15 min without use" in caption.value for caption in page.caption)
    embedder = console.models.get("demo-clip")
    assert isinstance(embedder, TorchEmbedder)
    embedder._images.limit, embedder._images.halved = 8, True
    with embedder.use:
        page.run()
    (row,) = page.table[0].value.to_dict("records")
    assert row == {
        "Model": "Demo CLIP",
        "Runs on": "cpu",
        "Precision": "float32",
        "Memory": "14.7 MB",
        "Batch": f"8 pictures{at_once(embedder.passes)}",
        "Last used": "in use",
    }
    assert any("Demo CLIP" in caption.value and "halved to 8" in caption.value for caption in page.caption)
    page.button(key="open-demo-clip").click().run()
    assert "halved to 8" in page.info[0].value
    assert "just now" in tables(page)


@pytest.mark.usefixtures("console")
def test_a_model_that_is_on_no_list_is_told_of_while_it_is_in_memory_though_its_folder_is_gone(
    console: Console, open_page: OpenPage, tmp_path: Path
) -> None:
    folder = tmp_path / "elsewhere"
    shutil.copytree(DEMO_MODELS / "demo-siglip", folder)
    console.models.get(f"local-dir:{folder}")
    shutil.rmtree(folder)
    page = open_page("models")
    assert not page.exception
    assert [row["Model"] for row in page.table[0].value.to_dict("records")] == ["elsewhere"]


def at_once(passes: int) -> str:
    return f", {passes} passes at once" if passes > 1 else ""
